"""Classes for the tests of the page on a class: made of numbers, without any grading."""

import random

from course.grading.page.numbers import GOT, LEFT, NONE, PART, READ, STOPPED, WRONG, Came, Class, Mistake, Person, Question

LESSONS = {"02_zero_init": ("init_hidden", "reset_rows", "question 1"), "03_cell_step": ("rnn_step", "layer_step", "question 1", "key_insight")}
HOSTILE = (
    "<script>said = 1</script>",
    "\"><img src=x onerror='said=1'>",
    "'-alert(1)-'",
    "</title></style></pre></svg><script>said=1</script>",
    "{{ 7 * 7 }}{% raw %}",
    "<svg onload=said=1>",
    "a\u202eb\x1b[2J\x00",
    "javascript:said=1",
    "&lt;b&gt;",
    "<a href=https://example.org/>",
)
CAUSES = (
    "W_hh is not transposed",
    "b_hh is left out",
    "tanh is put on each term instead of once around the sum",
    "raised TypeError: 'int' object is not callable",
)


def questions():
    return [Question(lesson, f"cell_{name}", name, 2.0) for lesson, names in LESSONS.items() for name in names]


def class_of(students, absent=0, names=None, unit="pipeline", seed=1, words=str):
    """A Class of so many who handed in. names: theirs, as far as there are any; words: changes a mistake's words."""
    draw, asked = random.Random(seed), questions()
    people = {}
    for number in range(students + absent):
        student = names[number] if names and number < len(names) else f"s{number:03d}"
        people[student] = Person(student, f"Name of {student}")
        if number < students:
            _hand_in(people[student], asked, draw, words)
    made = {}
    for person in people.values():
        for place, came in person.cells.items():
            if came.mistake:
                made.setdefault(place, {}).setdefault(came.mistake, []).append(person.id)
    for question in asked:
        found = made.get(question.place, {}).items()
        question.mistakes = sorted(
            (Mistake(text, who, who[0], f"WRONG  {words(text)}\n\n  {'x' * 90}") for text, who in found), key=lambda each: -len(each.students)
        )
    found = Class(unit, sum(question.of for question in asked), asked, people, [])
    _answer(found, draw)
    return found


def _hand_in(person, asked, draw, words):
    gone = draw.random() < 0.1
    for question in asked:
        if question.lesson.startswith("03") and gone:
            state = NONE
        elif question.name == "key_insight":
            state = draw.choice((READ, GOT))
        else:
            state = draw.choices((GOT, PART, WRONG, STOPPED, LEFT), (60, 5, 25, 2, 8))[0]
        tried = state in (PART, WRONG, STOPPED)
        points = {GOT: 2.0, PART: 1.0}.get(state, 0.0)
        person.cells[question.place] = Came(state, points, words(draw.choice(CAUSES)) if tried else "", draw.randint(1, 4) if tried else 0)
        person.points += points
    person.progress = [person.points - step for step in range(draw.randint(0, 3), -1, -1)]


LONG = """def rnn_step(x, h, W_ih, W_hh, b_ih, b_hh):
    rows = []
    for number in range(len(x)):
        total = torch.empty_like(b_ih)
        for unit in range(len(b_ih)):
            below = sum(weight * value for weight, value in zip(W_ih[unit], x[number]))
            before = sum(weight * value for weight, value in zip(W_hh[unit], h[number]))
            total[unit] = below + b_ih[unit] + before + b_hh[unit]
        rows.append(torch.tanh(total))
    return torch.stack(rows)
"""
SHORT = "def rnn_step(x, h, W_ih, W_hh, b_ih, b_hh):\n    return torch.tanh(x @ W_ih.T + b_ih + h @ W_hh.T + b_hh)\n"


def _answer(found, draw):
    """Everybody writes the short answer, but the first two, who share a long one."""
    place = ("03_cell_step", "rnn_step")
    found.shipped[place] = SHORT
    found.answers[place] = {
        person.id: LONG if number < 2 else SHORT for number, person in enumerate(person for person in found.people.values() if person.handed_in)
    }
