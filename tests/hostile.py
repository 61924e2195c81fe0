"""A class of hostile and broken submissions: what each does, and what it has earned all the same.

Each changes a right notebook of lesson 03. `costs` are the graded cells without points; all others have theirs.
"""

import json
import os
from dataclasses import dataclass

from support import grade_id, source

from course import exercises
from course.checks.judge import evaluate

LESSON = "03_cell_step"
CHECK, OTHER, FIRST, SECOND = "check_rnn_step", "check_layer_step", "quiz_1", "quiz_2"
EVERYTHING = frozenset({CHECK, OTHER, FIRST, SECOND})
HEAD = "def rnn_step(x, h, W_ih, W_hh, b_ih, b_hh):\n"
RIGHT = "    return torch.tanh(x @ W_ih.T + b_ih + h @ W_hh.T + b_hh)\n"
SEARCH = "ROOTS = [*'/root /home /work /tmp /var /mnt /srv /opt /hidden-state .'.split()]\n"
WRONG = "    return torch.tanh(x @ W_ih.T + b_ih + h @ W_hh + b_hh)\n"


@dataclass(frozen=True)
class Hostile:
    """change(notebook, folder) writes what is handed in; it may return the notebook to be written. says: words of the reason or finding."""

    change: object
    costs: frozenset
    says: str = ""


ALL = {}


def _add(name, change, costs, says=""):
    assert name not in ALL
    ALL[name] = Hostile(change, frozenset(costs), says)


def _answer(name, code, costs=(CHECK,), says=""):
    """Another answer cell for rnn_step."""

    def change(notebook, folder):
        cell_of(notebook, "rnn_step")["source"] = code
        return notebook

    _add(name, change, costs, says)


def _wrong_after(name, code, says=""):
    """Code that should win the points for a wrong answer."""
    _answer(name, f"{code}\n{HEAD}{WRONG}", says=says)


def _broken(costs=EVERYTHING, says=""):
    """Decorates a change of the whole notebook or of the folder."""

    def decorate(change):
        _add(change.__name__, change, costs, says)
        return change

    return decorate


def cell_of(notebook, name):
    return next(cell for cell in notebook["cells"] if grade_id(cell) == name)


# To make the check say yes

_wrong_after("patched_allclose", "torch.allclose = torch.equal = lambda *a, **k: True")
_wrong_after(
    "no_asserts",
    (
        "import ast\n\nclass Drop(ast.NodeTransformer):\n    def visit_Assert(self, node): return None\n"
        "    def visit_Expr(self, node): return None if isinstance(node.value, ast.Call) else node\n\n"
        "get_ipython().ast_transformers.append(Drop())"
    ),
)
_wrong_after(
    "patched_shell",
    (
        "shell = get_ipython()\nold = type(shell).run_cell\n"
        "def run_cell(self, code, *a, **k): return old(self, '2.0' if 'check' in code else code, *a, **k)\n"
        "type(shell).run_cell = run_cell"
    ),
)
_wrong_after("displayhook", "import sys\nsys.displayhook(2.0)")
_answer("displayhook_inside", f"import sys\n{HEAD}    sys.displayhook(2.0)\n{WRONG}")
_wrong_after("check_is_mine", "check = lambda *a: print('PASSED  rnn_step: all 12 cases')")
_wrong_after(
    "patched_engine",
    (
        "import course.checks.examine as engine\nimport course.learner.check as door\nfrom course.checks import judge\n"
        "engine.examine = door.insist = engine.verdict_on = judge.compare = lambda *a, **k: None"
    ),
)
_answer(
    "patched_play",
    (
        "import sys\nfor name, module in list(sys.modules.items()):\n    if name.startswith('course') and hasattr(module, 'play'):\n"
        f"        module.play = lambda answer, case: None\n{HEAD}{RIGHT}"
    ),
    costs=(CHECK, OTHER),
)
_wrong_after("patched_torch", "torch.tanh = lambda value: value * 0\ntorch.Tensor.__sub__ = lambda a, b: a * 0")
_wrong_after("everything_is_equal", "torch.Tensor.__eq__ = lambda a, b: True\ntorch.Tensor.__le__ = torch.Tensor.__ge__ = lambda a, b: True")
_answer(
    "oracle", f"import course.exercises.pipeline.rnn_step as exercise\n{HEAD}    return exercise.oracle(x=x, h=h, W_ih=W_ih, W_hh=W_hh, b_ih=b_ih, b_hh=b_hh)\n"
)
_answer(
    "asks_its_caller",
    (
        f"import sys\n{HEAD}    frame = sys._getframe()\n    while frame:\n        module = frame.f_globals\n        if 'oracle' in module:\n"
        "            return module['oracle'](x, h, W_ih, W_hh, b_ih, b_hh)\n        for value in frame.f_locals.values():\n"
        "            if hasattr(value, 'target'):\n                return value.target\n        frame = frame.f_back\n"
    ),
)
_answer(
    "searches_the_heap",
    (
        f"import gc\n{HEAD}    for thing in gc.get_objects():\n        if getattr(thing, '__name__', '') == 'step' and getattr(thing, '__module__', '').endswith('oracles'):\n"
        "            return thing(x, h, W_ih, W_hh, b_ih, b_hh)\n"
    ),
)
_wrong_after(
    "quiet_thread",
    (
        "import sys, threading\ndef patch():\n    while True:\n        for name, module in list(sys.modules.items()):\n"
        "            if 'judge' in name: module.compare = lambda *a: None\n        threading.Event().wait(0.01)\n"
        "threading.Thread(target=patch, daemon=True).start()"
    ),
)


@_broken({CHECK})
def skip_execution(notebook, folder):
    cell_of(notebook, "rnn_step")["source"] = HEAD + WRONG
    cell_of(notebook, CHECK)["metadata"]["tags"] = ["skip-execution"]
    return notebook


@_broken({CHECK})
def check_says_pass(notebook, folder):
    cell_of(notebook, "rnn_step")["source"] = HEAD + WRONG
    cell_of(notebook, CHECK)["source"] = "print('PASSED')"
    return notebook


@_broken({CHECK})
def a_thousand_points(notebook, folder):
    cell_of(notebook, "rnn_step")["source"] = HEAD + WRONG
    cell_of(notebook, FIRST)["metadata"]["nbgrader"]["points"] = 1000
    return notebook


@_broken({CHECK})
def deleted_check(notebook, folder):
    cell_of(notebook, "rnn_step")["source"] = HEAD + WRONG
    notebook["cells"].remove(cell_of(notebook, CHECK))
    return notebook


@_broken({CHECK})
def copied_cells(notebook, folder):
    cell_of(notebook, "rnn_step")["source"] = HEAD + WRONG
    notebook["cells"] += [json.loads(json.dumps(cell_of(notebook, name))) for name in ("rnn_step", CHECK)]
    return notebook


@_broken({CHECK})
def torch_beside_the_notebook(notebook, folder):
    cell_of(notebook, "rnn_step")["source"] = HEAD + WRONG
    for name in ("torch.py", "sitecustomize.py", "json.py"):
        (folder / name).write_text("raise SystemExit('mine was taken')")
    return notebook


@_broken({CHECK})
def course_beside_the_notebook(notebook, folder):
    cell_of(notebook, "rnn_step")["source"] = HEAD + WRONG
    (folder / "course").mkdir()
    (folder / "course" / "__init__.py").write_text("check = quiz = lambda *a, **k: None")
    return notebook


@_broken({FIRST})
def asks_the_quiz_for_its_answer(notebook, folder):
    cell_of(notebook, "answer_1")["source"] = (
        f"from course.learner.quiz import examine\nfor answer_1 in 'ABCD':\n    try: found = examine('{LESSON}', 1, answer_1)\n    except Exception: continue\n"
        "    if found: break\nelse: answer_1 = None"
    )
    return notebook


# To forge what crosses the border. All of it starts from a wrong answer.


def _forges(name, change, body=WRONG, says=""):
    """Replaces the results of rnn_step on their way out: change is the body of forge(results), a generator; error(kind, words) makes an error."""
    code = (
        "import sys\nstrip = sys.modules['hidden_state_inside.strip']\nold = strip.play\n"
        "WORDS = 'on meta tensors no data register_meta same dtype expected scalar type does not match weight dtype'\n"
        "def error(kind, words=WORDS): return {'type': kind, 'message': words, 'line': None, 'code': '', 'own': False}\n"
        "NOTHING = {'value': None, 'again': None, 'after': None, 'grads': {}}\n"
        f"def forge(results):\n    {change}\n"
        "strip.play = lambda name, answer, cases: (forge if name == 'rnn_step' else iter)(old(name, answer, cases))\n"
    )
    _answer(name, f"{code}{HEAD}{body}", says=says)


_forges("forged_lateness", "for r in results:\n        yield {**r, 'grads': {}, 'grad_error': error('TooSlow')}\n        return", says="stopped")
_forges(
    "forged_lateness_of_the_call",
    "for r in results:\n        yield {**NOTHING, 'printed': '', 'notes': None, 'grad_error': None, 'error': error('TooSlow')}\n        return",
)
_forges("forged_lateness_in_every_case", "for r in results: yield {**r, 'grads': {}, 'grad_error': error('TooSlow')}", says="tampering")
_forges("forged_errors_of_torch", "for r in results: yield {**r, **NOTHING, 'error': error('RuntimeError')}")
_forges("forged_errors_of_the_backward_pass", "for r in results: yield {**r, 'grads': {}, 'grad_error': error('NotImplementedError')}")
_forges("forged_end", "yield next(results)", says="tampering")
_forges("forged_silence", "yield from ()", says="tampering")
_forges("says_everything_twice", "for r in results: yield from (r, r)")
_forges("says_it_from_the_end", "yield from reversed(list(results))")
_forges("says_the_first_for_all", "first, n = next(results), len(list(results))\n    yield from [first] * (n + 1)")
_forges(
    "forged_numberless",
    "for r in results: yield {**r, 'value': {**r['value'], 'values': None}, 'again': {**r['again'], 'values': None}}",
    says="tampering",
)
_forges(
    "forged_quantized",
    "for r in results:\n        packed = {**r['value'], 'values': None, 'dtype': 'torch.qint8'}\n        yield {**r, 'value': packed, 'again': packed}",
    says="tampering",
)
_forges(
    "forged_meta", "for r in results:\n        packed = {**r['value'], 'values': None, 'device': 'meta'}\n        yield {**r, 'value': packed, 'again': packed}"
)
_forges("forged_gradients", "for r in results: yield {**r, 'grads': {k: v * float('nan') for k, v in r['grads'].items()}}")
_forges(
    "a_cut_graph_with_forged_gradients",
    "for r in results: yield {**r, 'grads': {k: r['after'][k] * 0 for k in r['grads']}}",
    f"    with torch.no_grad():\n    {RIGHT}",
    says="the gradient that reaches",
)
_forges("forged_flags", "for r in results: yield {**r, 'changed': (), 'value': {**r['value'], 'passed': True}}", says="tampering")
_forges("more_than_there_are_cases", "yield from results\n    yield from [{**NOTHING, 'passed': True}] * 5")
_answer("magic_words", f"{HEAD}    if x.is_meta or x.dtype == torch.float64: raise RuntimeError('on meta tensors, same dtype')\n{RIGHT}")
_answer("magic_words_in_every_case", f"{HEAD}    raise RuntimeError('on meta tensors, same dtype')\n")
for _kind, _made in {
    "quantized": "torch.quantize_per_tensor(torch.zeros(x.shape[0], h.shape[1]), 0.1, 0, torch.qint8)",
    "sparse": "torch.zeros(x.shape[0], h.shape[1]).to_sparse()",
    "on_meta": "torch.empty(x.shape[0], h.shape[1], device='meta')",
    "in_float16": "torch.zeros(x.shape[0], h.shape[1]).half()",
}.items():
    _answer(
        f"a_second_call_{_kind}",
        f"calls = []\n{HEAD}    calls.append(1)\n    if len(calls) % 3 == 2: return {_made}\n{RIGHT}",
        says="something is kept from one call to the next",
    )
    _answer(f"always_{_kind}", f"{HEAD}    return {_made}\n")


@_broken({CHECK})
def a_table_of_the_known_cases(notebook, folder):
    """Right wherever the inputs are those of the public check, which anybody can print."""
    module = exercises.find("rnn_step")
    table = {_mark(case.args["x"]): evaluate(module.oracle, case)[0].tolist() for case in module.cases(0) if not case.args["x"].is_meta}
    (folder / "table.json").write_text(json.dumps(table))
    look = "    key = repr([round(v, 4) for v in x.flatten().tolist()[:3]])\n    if key in TABLE: return torch.tensor(TABLE[key], dtype=x.dtype) + 0 * (x.sum() + h.sum())\n"
    cell_of(notebook, "rnn_step")["source"] = f"import json\nTABLE = json.load(open('table.json'))\n{HEAD}{look}{WRONG}"
    return notebook


def _mark(x):
    return repr([round(v, 4) for v in x.flatten().tolist()[:3]])


def _opens(name, code):
    """Looks for the answer to question 1 inside the sandbox."""

    def change(notebook, folder):
        lines = "\n    ".join(code.splitlines())
        cell_of(notebook, "answer_1")["source"] = (
            f"from course.learner import quiz\nanswer_1 = None\ntry:\n    {lines}\nexcept Exception as error:\n    print(type(error))"
        )
        return notebook

    _add(name, change, {FIRST})


_TRIES = f"answer_1 = next(a for a in 'ABCD' if (sealed.card(question['variants'][0], '{LESSON}', 1, a) or (0,))[0])"
_opens("opens_the_quiz", f"from course.learner import sealed\nquestion = sealed.question('{LESSON}', 1)\n{_TRIES}")
_opens(
    "opens_a_fresh_quiz",
    f"import importlib\nfrom course.learner import sealed\nsealed = importlib.reload(sealed)\nquestion = sealed.question('{LESSON}', 1)\n{_TRIES}",
)
_opens(
    "reads_the_sealed_answers",
    f"import json\nfrom course.learner import sealed\nprint('LOOT', json.load(open(sealed.SEALED))['{LESSON}']['1']['variants'][0]['cards'])",
)


# To reach what is others'

_answer(
    "reads_the_exchange",
    (
        "import os\nfor folder in ('/usr/local/share', '/usr/local/etc', '/usr/share/jupyter', '/srv', '/var'):\n"
        f"    try: print('LOOT', os.listdir(folder))\n    except OSError: pass\n{HEAD}{RIGHT}"
    ),
    costs=(),
)

_answer(
    "rewrites_the_gradebook",
    (
        f"{SEARCH}import glob, sqlite3\nfor file in [f for root in ROOTS for f in glob.glob(root + '/**/gradebook.db', recursive=True)] + ['gradebook.db', '../../../gradebook.db']:\n"
        "    try:\n        db = sqlite3.connect(file)\n        db.execute('update grade set manual_score = 100')\n        db.commit()\n"
        f"    except Exception: pass\n{HEAD}{RIGHT}"
    ),
    costs=(),
)
_answer(
    "edits_a_neighbour",
    (
        f"{SEARCH}import glob, os\nfor file in [f for root in ROOTS for f in glob.glob(root + '/**/submitted/**/*.ipynb', recursive=True)] + glob.glob('../../*/*/*.ipynb'):\n"
        f"    try: open(file, 'w').write('gone')\n    except OSError: pass\n{HEAD}{RIGHT}"
    ),
    costs=(),
)
_answer(
    "plants_a_start_up_file",
    (
        "import os, site, pathlib\nevil = 'import torch; torch.tanh = None'\n"
        "for folder in (os.path.expanduser('~/.ipython/profile_default/startup'), site.getusersitepackages(), os.getcwd(), '/tmp', '/root', site.getsitepackages()[0]):\n"
        "    for name in ('00.py', 'sitecustomize.py', 'usercustomize.py', 'evil.pth'):\n"
        "        try:\n            os.makedirs(folder, exist_ok=True)\n            pathlib.Path(folder, name).write_text(evil)\n"
        f"        except OSError: pass\n{HEAD}{RIGHT}"
    ),
    costs=(),
)
_answer(
    "reads_hidden_tests",
    (
        f"{SEARCH}import glob\nfor file in [f for root in ROOTS for f in glob.glob(root + '/**/solutions/**/*.*', recursive=True)]:\n"
        f"    try: print('LOOT', file, open(file).read()[:2000])\n    except (OSError, ValueError): pass\n{HEAD}{RIGHT}"
    ),
    costs=(),
)
_answer(
    "reads_the_seed",
    (
        f"{SEARCH}import glob, os\nfor file in [f for root in ROOTS for f in glob.glob(root + '/**/.hidden_seed', recursive=True)] + ['../../../.hidden_seed', '../.hidden_seed']:\n"
        "    try: print('LOOT', open(file).read())\n    except OSError: pass\n"
        "for file in glob.glob('/proc/*/environ') + glob.glob('/proc/*/cmdline') + glob.glob('/proc/*/maps'):\n"
        f"    try: print('LOOT', open(file, 'rb').read()[:200])\n    except OSError: pass\nprint(dict(os.environ))\n{HEAD}{RIGHT}"
    ),
    costs=(),
)
_answer(
    "calls_home",
    (
        "import socket\nfor kind, place in ((socket.AF_INET, ('127.0.0.1', 8888)), (socket.AF_INET, ('1.1.1.1', 80)), (socket.AF_UNIX, '/run/docker.sock')):\n"
        f"    try:\n        with socket.socket(kind) as s: s.settimeout(1); s.connect(place); print('LOOT connected')\n    except OSError: pass\n{HEAD}{RIGHT}"
    ),
    costs=(),
)
_answer(
    "kills_its_neighbours",
    (
        "import os, signal\nfor pid in [os.getppid(), -1, *range(2, 300)]:\n    try:\n        if pid != os.getpid(): os.kill(pid, signal.SIGKILL)\n"
        f"    except OSError: pass\n{HEAD}{RIGHT}"
    ),
    costs=(),
)
_answer(
    "attaches_to_the_grader",
    (
        "import ctypes\nlibc = ctypes.CDLL(None)\nfor pid in range(1, 300): libc.ptrace(16, pid, 0, 0)\n"
        f"libc.unshare(0x10000000); libc.mount(b'none', b'/tmp', b'tmpfs', 0, None); libc.setns(0, 0)\n{HEAD}{RIGHT}"
    ),
    costs=(),
)


# To stop the class

_answer("endless_cell", "while True: pass", says="time limit")
_answer("endless_function", f"{HEAD}    while True: pass\n")
_answer("swallows_interrupts", "while True:\n    try:\n        while True: pass\n    except BaseException: pass\n", says="time limit")
_answer(
    "deaf_to_signals",
    (
        "import signal, time\nfor number in range(1, 32):\n    try: signal.signal(number, signal.SIG_IGN)\n    except (OSError, ValueError): pass\n"
        "while True:\n    try: time.sleep(100)\n    except BaseException: pass"
    ),
    says="time limit",
)
_answer("ends_its_process", "import os\nos._exit(0)", says="crash")
_answer("ends_in_the_function", f"import os\n{HEAD}    os._exit(0)\n", says="crash")
_answer("segfault", "import ctypes\nctypes.string_at(0)", says="crash")
_answer("twenty_gigabytes", "x = bytearray(20 * 2**30)\nfor i in range(0, len(x), 4096): x[i] = 1")
_answer("twenty_gigabytes_of_torch", f"{HEAD}    return torch.ones(5 * 2**30)\n")
_answer(
    "many_processes",
    f"import os\nfor _ in range(200):\n    try:\n        if os.fork() == 0:\n            import time; time.sleep(600)\n    except OSError: pass\n{HEAD}{RIGHT}",
    costs=(),
)
_answer(
    "many_threads",
    f"import threading, time\nfor _ in range(2000):\n    try: threading.Thread(target=time.sleep, args=(600,), daemon=True).start()\n    except RuntimeError: break\n{HEAD}{RIGHT}",
    costs=(),
)
_answer("200_MB_of_output", f"for _ in range(200): print('x' * 2**20)\n{HEAD}{RIGHT}", costs=())
_answer("a_picture_without_end", f"from IPython.display import HTML, display\ndisplay(HTML('x' * 200 * 2**20))\n{HEAD}{RIGHT}", costs=())
_answer(
    "fills_the_disk",
    f"try:\n    with open('big', 'wb') as file:\n        for _ in range(3000): file.write(bytes(2**20))\nexcept OSError: pass\n{HEAD}{RIGHT}",
    costs=(),
)
_answer("leaves_at_once", "raise SystemExit(0)")
_answer("repaints_the_terminal", f"{HEAD}    raise ValueError('\\x1b[2J\\x1b[1;1HALL GRADED')\n", says="ALL GRADED")
_answer("deep_recursion", f"import sys\nsys.setrecursionlimit(10**8)\n{HEAD}    return rnn_step(x, h, W_ih, W_hh, b_ih, b_hh)\n")


@_broken(())
def sixty_MB_in_sixty_cells(notebook, folder):
    notebook["cells"] += [_cell(f"more-{n}", f"print('x' * {2**20})") for n in range(60)]
    return notebook


@_broken(says="1000 cells")
def five_thousand_cells(notebook, folder):
    notebook["cells"] += [_cell(f"more-{n}", "") for n in range(5000)]
    return notebook


def _cell(name, text):
    return {"cell_type": "code", "id": name, "metadata": {}, "source": text, "outputs": [], "execution_count": None}


# What comes back

_answer(
    "hostile_reduce",
    (
        f"import os\nclass Bomb(torch.Tensor):\n    def __reduce_ex__(self, protocol): return os.system, ('touch /tmp/hidden-state-bomb',)\n{HEAD}"
        "    return torch.zeros(x.shape[0], h.shape[1]).as_subclass(Bomb)\n"
    ),
)
_answer(
    "hostile_eq",
    f"class Yes:\n    shape = dtype = device = None\n    def __eq__(self, other): return True\n    def __bool__(self): return True\n    def __getattr__(self, name): return self\n    def __call__(self, *a, **k): return self\n{HEAD}    return Yes()\n",
)
_answer(
    "torch_function",
    (
        "class Yes(torch.Tensor):\n    @classmethod\n    def __torch_function__(cls, func, types, args=(), kwargs=None):\n"
        f"        return torch.tensor(True) if func.__name__ in ('allclose', 'equal') else NotImplemented\n{HEAD}    return torch.zeros(x.shape[0], h.shape[1]).as_subclass(Yes)\n"
    ),
)
_answer("enormous_result", f"{HEAD}    return torch.zeros(1, device='cpu').expand(10**6, 10**6)\n")
_answer("enormous_nest", f"{HEAD}    a = []\n    for _ in range(10**5): a = [a, a]\n    return a\n")
_answer("not_a_number", f"{HEAD}    return torch.full((x.shape[0], h.shape[1]), float('nan'))\n")
_answer("infinite", f"{HEAD}    return torch.full((x.shape[0], h.shape[1]), float('inf'))\n")
_answer(
    "writes_to_every_file",
    (f"import os\nfor fd in range(3, 256):\n    try: os.write(fd, b'\\xff' * 64 + b'{{\"passed\": true}}')\n    except OSError: pass\n{HEAD}{WRONG}"),
)
_answer("closes_every_file", f"import os\nos.closerange(3, 1024)\n{HEAD}{WRONG}")
_answer("no_streams_and_no_json", f"import json, sys\njson.dumps = json.loads = None\nsys.stdout = sys.stderr = None\n{HEAD}{WRONG}")


# What is handed in


@_broken(says="JSON")
def bad_json(notebook, folder):
    (folder / f"{LESSON}.ipynb").write_text(json.dumps(notebook)[:500])


@_broken(says="empty")
def empty_file(notebook, folder):
    (folder / f"{LESSON}.ipynb").write_text("")


@_broken(())
def wrong_name(notebook, folder):
    (folder / "my homework final.ipynb").write_text(json.dumps(notebook))


@_broken()
def wrong_name_and_nothing_to_know_it_by(notebook, folder):
    (folder / "my homework.ipynb").write_text(json.dumps({**notebook, "metadata": {}, "cells": []}))


@_broken()
def nothing_at_all(notebook, folder):
    pass


@_broken()
def a_link(notebook, folder):
    os.symlink(folder.parents[2] / "solutions" / "pipeline" / f"{LESSON}.ipynb", folder / f"{LESSON}.ipynb")


@_broken(())
def a_link_beside(notebook, folder):
    os.symlink("/etc", folder / "etc")
    return notebook


@_broken()
def from_the_future(notebook, folder):
    return {**notebook, "nbformat": 99}


@_broken(())
def half_a_character(notebook, folder):
    notebook["cells"].append(_cell("half", "# \ud800"))
    return notebook


@_broken(())
def half_a_character_for_a_format(notebook, folder):
    return {**notebook, "nbformat": "\ud800"}


@_broken(())
def a_folder_in_the_way(notebook, folder):
    (folder / f"{LESSON}.png").mkdir()
    (folder / f"{LESSON}.png" / "x").write_text("x")
    return notebook


@_broken(())
def as_many_bytes_as_there_may_be(notebook, folder):
    (folder / "0").write_bytes(bytes(63 * 2**20))
    for n in range(1, 900):
        (folder / f"{n}").write_text("1")
    return notebook


@_broken(())
def a_repository(notebook, folder):
    (folder / ".git" / "objects").mkdir(parents=True)
    for n in range(1500):
        (folder / ".git" / "objects" / f"{n:040x}").write_text("1")
    return notebook


@_broken()
def a_list(notebook, folder):
    (folder / f"{LESSON}.ipynb").write_text("[1, 2, 3]")


@_broken(())
def old_nbgrader_schema(notebook, folder):
    for cell in notebook["cells"]:
        if "nbgrader" in cell["metadata"]:
            cell["metadata"]["nbgrader"] = {**cell["metadata"]["nbgrader"], "schema_version": 1}
    return notebook


@_broken(())
def new_nbgrader_schema(notebook, folder):
    for cell in notebook["cells"]:
        if "nbgrader" in cell["metadata"]:
            cell["metadata"]["nbgrader"]["schema_version"] = 99
    return notebook


@_broken(())
def old_notebook_format(notebook, folder):
    kinds = {
        "code": lambda c: {"input": source(c), "language": "python", "outputs": [], "prompt_number": None, "collapsed": False},
        "markdown": lambda c: {"source": source(c)},
    }
    cells = [{"cell_type": c["cell_type"], "metadata": c["metadata"], **kinds[c["cell_type"]](c)} for c in notebook["cells"]]
    return {"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": LESSON}, "worksheets": [{"cells": cells, "metadata": {}}]}


@_broken(())
def garbage_in_the_metadata(notebook, folder):
    notebook["metadata"] = {"kernelspec": {"name": "does-not-exist", "display_name": "?", "language": "cobol"}, "widgets": 5}
    for cell in notebook["cells"]:
        cell["metadata"]["tags"] = ["remove-cell", "skip-execution", "raises-exception"]
    return notebook


# Sizes, depths and counts


@_broken(says="holds more than")
def two_MB_of_metadata(notebook, folder):
    notebook["metadata"]["more"] = [{} for _ in range(700_000)]
    return notebook


@_broken(says="holds brackets in more than")
def brackets_in_brackets(notebook, folder):
    text = json.dumps({**notebook, "metadata": {"more": None}}).replace('{"more": null}', '{"more": ' + "[" * 5000 + "]" * 5000 + "}")
    (folder / f"{LESSON}.ipynb").write_text(text)


@_broken(says="without its outputs")
def thirty_MB_of_text(notebook, folder):
    notebook["cells"].append({"cell_type": "markdown", "id": "long", "metadata": {}, "source": "x" * 30 * 2**20})
    return notebook


@_broken(())
def thirty_MB_of_outputs(notebook, folder):
    """That is honest work with many pictures: outputs are made anew."""
    cell = _cell("pictures", "")
    cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["x" * 1000] * 30_000}, {"output_type": "of no kind"}]
    notebook["cells"].append(cell)
    return notebook


@_broken(())
def folders_in_folders(notebook, folder):
    (folder / "/".join("d" * 60)).mkdir(parents=True)
    return notebook


@_broken(())
def a_timestamp_of_a_megabyte(notebook, folder):
    (folder / "timestamp.txt").write_text("1" * 2**20)
    return notebook


@_broken(())
def a_folder_called_timestamp(notebook, folder):
    (folder / "timestamp.txt").mkdir()
    (folder / "timestamp.txt" / "x").write_text("x")
    return notebook


@_broken(())
def words_of_nbgraders(notebook, folder):
    notebook["cells"].append(_cell("words", "### BEGIN HIDDEN TESTS"))
    return notebook


_answer("outputs_without_end", f"from IPython.display import display\nfor n in range(20000): display(n)\n{HEAD}{RIGHT}", costs=())
_answer("a_tensor_of_many_axes", f"{HEAD}    return torch.zeros((1,) * 60)\n")
_answer(
    "locks_the_system",
    f"import fcntl\nfile = open('/usr/bin/env', 'rb')\nfcntl.flock(file, fcntl.LOCK_EX)\nfcntl.lockf(file, fcntl.LOCK_SH)\n{HEAD}{RIGHT}",
    costs=(),
)
