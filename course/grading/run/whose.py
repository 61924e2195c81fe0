"""Under which ids a student is known. A question whose numbers differ by student is right for any of one's own, and for nobody else's."""

import functools

from course.grading.roster import people
from course.learner.sealed import question

LONGEST = 200


class Class:
    """Everybody who is known: the roster's people, or where there is none the folders in submitted/.

    known: people.Person of each; students: the folders' names.
    """

    def __init__(self, known, students):
        self.people = {_plain(person.id): person for person in known}
        self.claimed = {}
        for person in known:
            for alias in person.aliases:
                self.claimed.setdefault(alias, []).append(person)
        self.students = {_plain(student): student for student in students}

    def person(self, student):
        """The roster's Person behind a folder's name, or None."""
        found = self.claimed.get(_plain(student), [])
        return self.people.get(_plain(student)) or (found[0] if len(found) == 1 else None)

    def aliases(self, student):
        """Every id, casefolded, that is this student's and no one else's; the folder's own first."""
        person, own = self.person(student), _plain(student)
        mine = {own.partition("@")[0], *(person.aliases if person else ())} - {"", own}
        return [own, *sorted(alias for alias in mine if self._is_only(alias, person, own))]

    def _is_only(self, alias, person, own):
        others = [each for each in self.claimed.get(alias, []) if each is not person]
        return not others and (alias == own or alias not in self.students or (person and person is self.person(alias)))

    def owner(self, alias):
        """Whose id this is: the id of a Person or the name of a folder, or ""."""
        person = self.person(alias)
        return person.id if person else self.students.get(alias, "")

    def ids(self):
        """The ids of the roster."""
        return [person.id for person in self.people.values()]

    def name(self, student):
        """(first name, last name, section) of a folder, each "" where it is not known."""
        person = self.person(student)
        return (person.first_name, person.last_name, person.section) if person else ("", "", "")


def read(root, students):
    """The Class of a course's folder."""
    return Class(people.read(root), students)


def typed(value):
    """The id that somebody has typed, as it is compared; "" for what is none."""
    return _plain(value)[:LONGEST] if isinstance(value, (str, int)) and not isinstance(value, bool) else ""


def own(job):
    """The ids under which the student of a job is known, the folder's first."""
    return [*dict.fromkeys([_plain(job["student"]), *job.get("aliases", ())])]


@functools.cache
def varies(lesson, number):
    """Has this question other numbers for each student?"""
    return len(question(lesson, number)["variants"]) > 1


def depends(calls):
    """Does one of these calls ask about numbers of a student's own?"""
    return any(call["kind"] == "quiz" and varies(call["name"], call["number"]) for call in calls)


def _plain(value):
    return str(value).strip().casefold()
