"""What MaMOL is compared with, one file each, chosen by `model.method`: on the same tokens, backbone, head and data.

| method | file | what it adds |
|---|---|---|
| `linear` | none | nothing: the backbone, trained tokens and a trained head (the paper's Baseline) |
| `lora` | `lora.py` | one LoRA beside the MLP, whatever is missing |
| `mmp` | `mmp.py` | prompts of the pattern, as tokens or as keys and values (arXiv 2303.03369) |
| `dcp` | `dcp.py` | prompts that depend on each other and on the input (arXiv 2410.06558) |
| `moe_rep` | `moe_rep.py` | whole MLPs as experts in the place of the MLP, a token's own choice (arXiv 2201.05596) |
| `moe_ada` | `moe_ada.py` | copies of the MLP that differ by LoRAs, noisy top-k (Mixtral with LoRA experts) |
| `moe_task` | `moe_task.py` | LoRAs on both products of the MLP, mixed by the pattern alone (arXiv 2310.18339) |

MaMOL's own ablations are its options: `dynamic_experts = 0`, `shared_expert = false`, `modality_experts = false`.

All of them are re-implementations from the publications. What is absent is not encoded, as with MaMOL; the authors of
`mmp` and `dcp` encode a dummy. Everything is float32 where a choice hangs on it, and the result of a window never
depends on its neighbours in the batch; so `moe_rep` has no capacity limit and drops no tokens.
"""
