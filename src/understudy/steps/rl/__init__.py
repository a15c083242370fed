"""Reinforcement learning on the final answer: a student practises on problems, and what is right is made likelier."""
