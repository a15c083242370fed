"""The only model code: load a model or build one in Qwen3's shape, train its tokenizer, add an adapter, save."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from understudy.errors import UserError
from understudy.recipe import Build, Sft
from understudy.records import Student

END_OF_TEXT, START, END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
QWEN2_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""Qwen2's pre-tokenisation: digits stand singly. vLLM and llama.cpp know it by this pattern."""

CHAT_TEMPLATE = (
    "{%- for m in messages %}"
    "{%- if m['role'] == 'assistant' %}"
    "{{- '<|im_start|>assistant\n' }}{% generation %}{{- m['content'] + '<|im_end|>' }}{% endgeneration %}{{- '\n' }}"
    "{%- else %}"
    "{{- '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}"
    "{%- endif %}"
    "{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}{%- endif %}"
)


class Loaded(NamedTuple):
    """A model and its tokenizer, in memory."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase


def load(path: str) -> Loaded:
    """The model at that local folder or Hub id, with its LoRA adapter merged in where the folder holds one.

    Raises:
        UserError: there is no model, or the Hub cannot be reached.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(path)
        if (Path(path) / "adapter_config.json").exists():
            from peft import AutoPeftModelForCausalLM

            model = AutoPeftModelForCausalLM.from_pretrained(path, dtype="auto").merge_and_unload()
        else:
            model = AutoModelForCausalLM.from_pretrained(path, dtype="auto")
    except (OSError, ValueError) as error:
        first = str(error).strip().split("\n")[0]
        raise UserError(f"student: no model can be loaded from {path}: {first} Give student.model a folder.") from None
    if tokenizer.chat_template is None:
        raise UserError(f"student: the tokenizer of {path} has no chat template. Use a chat model, or add one to it.")
    return Loaded(model.to(device()), tokenizer)


def build(shape: Build, tokenizer: PreTrainedTokenizerBase, seed: int) -> PreTrainedModel:
    """A fresh model of that shape; the same seed gives the same weights."""
    torch.manual_seed(seed)
    config = Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=shape.width,
        intermediate_size=shape.ffn,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        head_dim=shape.head_width,
        max_position_embeddings=shape.context,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.convert_tokens_to_ids(END),
        pad_token_id=tokenizer.convert_tokens_to_ids(END_OF_TEXT),
    )
    model: PreTrainedModel = Qwen3ForCausalLM(config)
    return model.to(device())


def train_tokenizer(texts: Iterable[str], size: int) -> PreTrainedTokenizerBase:
    """A byte-level BPE tokenizer of at most `size` tokens with Qwen's special tokens and a chat template."""
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(QWEN2_SPLIT), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    raw.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size - 5,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    raw.train_from_iterator(texts, trainer)
    raw.add_special_tokens([END_OF_TEXT, START, END])
    raw.add_tokens([AddedToken(t, normalized=False) for t in ("<think>", "</think>")])  # plain text, as in Qwen3
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=raw, eos_token=END, pad_token=END_OF_TEXT, clean_up_tokenization_spaces=False
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer


def with_lora(loaded: Loaded, settings: Sft, seed: int) -> Loaded:
    """The model with a fresh LoRA adapter on all its linear layers."""
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(seed)
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    return Loaded(get_peft_model(loaded.model, config), loaded.tokenizer)


def save(loaded: Loaded, folder: Path) -> None:
    """Weights (safetensors), configuration, tokenizer and template into `folder`."""
    loaded.model.save_pretrained(folder)
    loaded.tokenizer.save_pretrained(folder)


def hash_files(folder: Path, patterns: tuple[str, ...]) -> str:
    """Sixteen hex digits of the files of `folder` that match, names included."""
    found = hashlib.sha256()
    for path in sorted(p for pattern in patterns for p in folder.glob(pattern)):
        found.update(path.name.encode())
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                found.update(block)
    return found.hexdigest()[:16]


def device() -> str:
    """The best device there is."""
    return "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"


def count(model: Any) -> int:
    """Parameters, tied ones once."""
    return sum(p.numel() for p in model.parameters())


def describe(path: str) -> Student:
    """The record of a model that was not made here; a Hub id stands for itself."""
    loaded = load(path)
    folder = Path(path)
    here = folder.is_dir()
    return Student(
        path=path,
        base=path,
        hash=hash_files(folder, ("*.safetensors", "config.json")) if here else path,
        tokenizer_hash=hash_files(folder, ("tokenizer.json", "chat_template*")) if here else path,
        parameters=count(loaded.model),
    )
