"""From the download of a learning management system to submitted/: read within bounds, told apart, matched to the roster, put in place."""
