"""The part that NVIDIA FLARE loads; nothing else imports nvflare."""
