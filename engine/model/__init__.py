"""The network: torch only; open_clip only in `clip.py`, timm only in `timm_vit.py`.

Reading order: `network.py` (the story), `inputs.py`, `tokens.py`, `mamol.py` with `router.py` and `lora.py`,
`backbone.py`, `readout.py`, `fusion.py`, `modulation.py`; `resolve.py` and `build.py` turn a configuration into a
network. What MaMOL is compared with is in `baselines/`.

Shape letters at the end of tensor names:
    B windows               M modalities            C bands of one modality
    H W pixels of a window  G tokens along a side   P prefix tokens (class token first, then registers)
    T tokens, T = P + G G   D width                 S channels of a stem
    E experts               R rank                  F channels of a read-out's feature
    K core pixels per side  Y classes               V numbers of a pixel (see `inputs.py`)
    Q ramps of a number     A any pixels            K, in routers and experts: experts of a token
    P, in baselines: prompts of a block             H, in experts: hidden width of the MLP
    N encoded windows: those of all modalities, one after another

`present_BTM` is the only wire form of "what is missing": for every token of every window, which modalities have data
there.
"""
