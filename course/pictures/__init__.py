"""Still pictures and tables, by subject. Numbers in, a `Picture` (SVG with alt text) out; `drawing` has what they share."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "drawing": ["COLOURS", "LIMITS", "LOGITS", "PROBS", "Picture"],
        "inside": ["cell", "reach", "states"],
        "learning": ["points", "probabilities_over_time", "training", "ways"],
        "matrices": ["broken_laws"],
        "results": ["output", "prediction", "probabilities"],
        "stages": ["pipeline", "sequence", "tensor_block"],
        "unrolled": ["two_layers", "unrolled"],
    },
)
