"""nbgrader's settings in a student's account on a JupyterHub: which course, and where the exchange is. The image has it as /etc/jupyter/nbgrader_config.py.

The instructor's account has the course's own nbgrader_config.py, which reads the same two variables.
"""

import os

c = get_config()  # noqa: F821, given by traitlets

c.CourseDirectory.course_id = os.environ.get("HIDDEN_STATE_COURSE_ID") or "hidden-state"
if os.environ.get("HIDDEN_STATE_EXCHANGE") == "ngshare":  # a service of the hub, where the accounts share no folder
    from ngshare_exchange import configureExchange

    configureExchange(c)
elif os.environ.get("HIDDEN_STATE_EXCHANGE"):
    c.Exchange.root = os.environ["HIDDEN_STATE_EXCHANGE"]
