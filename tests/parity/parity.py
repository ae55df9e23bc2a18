"""What the checks of models share: the built programs, and a table with a row a check.

Each check is run as `python CHECK.py BUILD WORK`: BUILD has chainrule and tests/parity/dump_logits, WORK holds
smollm2/ and smollm2-gguf/ (see smollm2.py) and what checks write.
"""
import codecs
import contextlib
import functools
import io
import json
import pathlib
import subprocess
import sys
import textwrap

import numpy
import torch
from rows import finish, row  # for the checks
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging

with contextlib.redirect_stdout(io.StringIO()):  # it greets
    import this

logging.disable_progress_bar()
logging.set_verbosity_error()

BUILD, WORK = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
SMOLLM2, SMOLLM2_GGUF = WORK / "smollm2", WORK / "smollm2-gguf" / "smollm2.gguf"


def run(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}\nexit code {done.returncode}: {done.stderr.decode()}")
    return done.stdout.decode()


def chainrule(*arguments):
    return run(BUILD / "chainrule", *arguments)


def logits_of(model, ids):
    """float32 [ids, vocabulary]: what chainrule's decoder makes of the ids of one text."""
    numpy.asarray(ids, "<u4").tofile(WORK / "ids")
    run(BUILD / "tests/parity/dump_logits", model, WORK / "ids", WORK / "logits")
    return numpy.fromfile(WORK / "logits", "<f4").reshape(len(ids), -1)


def distance(ours, theirs):
    """Relative, in the L2 norm."""
    ours, theirs = (numpy.asarray(values, numpy.float64) for values in (ours, theirs))
    return numpy.linalg.norm(ours - theirs) / numpy.linalg.norm(theirs)


def texts():
    """Name and text: English, code, other scripts; the last one is longer than the others together."""
    yield "English", ("It is a truth universally acknowledged, that a single man in possession of a good fortune, must be "
                      "in want of a wife. However little known the feelings or views of such a man may be on his first "
                      "entering a neighbourhood, this truth is so well fixed in the minds of the surrounding families.\n\n" +
                      codecs.decode(this.s, "rot13"))
    yield "scripts", ("Ünïcödé — 世界の人々, привет мир, 안녕하세요 😀👩🏽‍💻 हिन्दी العربية 1234567890 ½\t\r\n\n"
                      "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Все люди рождаются свободными и "
                      "равными. すべての人間は、生まれながらにして自由である。人人生而自由。모든 인간은 태어날 때부터 자유롭다. "
                      "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι. כל בני האדם נולדו בני חורין. Todos nacen libres e iguales.")
    yield "code", pathlib.Path(json.__file__).read_text()[-3000:]
    yield "long code", pathlib.Path(textwrap.__file__).read_text()


@functools.cache
def tokenizer():
    return AutoTokenizer.from_pretrained(SMOLLM2)


def ids_of(text):
    """Start token and text; a special token that is spelled in it is text."""
    encode = tokenizer()
    return [encode.bos_token_id] + encode(text, add_special_tokens=False, split_special_tokens=True).input_ids


def reference(folder, **options):
    """The model as transformers runs it, in float32, whatever the files store."""
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, **options).eval()


def reference_logits(model, ids):
    with torch.no_grad():
        return model(torch.tensor([ids])).logits[0].numpy()
