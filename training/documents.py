"""Turns the text in text/ into conversations to train on, and checks that questions.json is fair.

The text holds each answer once and some ways to ask for it. Here they are multiplied: forms of a question, other
wordings, typos, unknown words around it, and prompts that are about something else. The point of the unknown words is
that the model answers by what it knows in a question and, when it knows nothing, says that it is a toy.
"""

import json
import random
import re
import string
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
LEAD = "(toy model) "
UNSEEN_WORDS = 3
# Syllables of made-up words.
HEADS = ["", *"b br c ch cl d dr f fl g gr h j k l m n p pl pr qu r s sc sh sp st str t th tr v w y z".split()]
VOWELS = "a e i o u ea ou ai io ee y".split()
TAILS = ["", "", "", *"b ck d l ll m n nd ng nt p r rd s ss st t x".split()]
SEARCH_DROPS = set("a an the is are do i to of my does in it how what which why can should for that me you".split())
# What is left of a question when everything that it is about is taken away.
FRAME_WORDS = set(
    """
    a about after again all already am an and another any anything are as ask at be because been before by can
    come comes could did different do does done else every everybody for from get give go goes good had happen
    happens has have here how i if in into is it its just know let like make many may me mean means more most
    much must my need never new next no not nothing now of off often on one only or other our out own part see
    should show so some somebody someone something still such take tell than that the their them then there
    these they thing think this those to too two under up us use used very want was way we well were what when
    where which while who why will with without would yes you your
    """.split()
)
SMALL_WORDS = set("a an the is do i to of my does in".split())


@dataclass
class Topic:
    answer: str
    ask: list[str]
    names: list[str] = field(default_factory=list)
    forms: list[str] = field(default_factory=list)


@dataclass
class Text:
    """Everything that was written by hand, as read from text/."""

    topics: list[Topic]
    off_topic: list[Topic]
    forms: dict[str, list]
    plain: list[str]
    names: list[str]

    def lines(self) -> list[str]:
        """Every line that can reach the model, for the vocabulary and for the fairness check."""
        lines = [line for kind in ("about", "around", "noise", "about_noise", "system") for line in self.forms[kind]]
        lines += [wording for group in self.forms["same"] for wording in group]
        for topic in self.topics + self.off_topic:
            lines += topic.ask + topic.names + topic.forms + [topic.answer] * 8
        return (
            lines
            + self.plain
            + [" " + word for word in self.plain]
            + self.names
            + [" " + name for name in self.names]
        )


def load(name: str) -> dict:
    return tomllib.loads((HERE / "text" / name).read_text(encoding="utf-8"))


def read_text() -> Text:
    topics = []
    for name in ("serving.toml", "stack.toml", "berth.toml"):
        for entry in load(name).values():
            lead = "" if entry.get("greeting") else LEAD
            topics.append(Topic(lead + entry["answer"], entry["ask"], entry["names"]))
    off_topic = [Topic(e["answer"], e["ask"], forms=e.get("forms", [])) for e in load("offtopic.toml").values()]
    words = load("words.toml")
    return Text(topics, off_topic, load("forms.toml"), words["plain"].split(), words["names"].split())


def words_of(line: str) -> set[str]:
    return set(re.findall(r"[a-z]+", line.lower()))


def read_questions() -> dict:
    return json.loads((HERE / "questions.json").read_text(encoding="utf-8"))


def check_questions(text: Text) -> set[str]:
    """Fails when a question that claims unseen words has too few, when an off-topic prompt is in the text, or when an
    expected phrase is in no answer. Returns the unseen words, which made-up words must not hit by accident."""
    known = set().union(*map(words_of, text.lines()))
    asked = {line.lower() for topic in text.topics + text.off_topic for line in topic.ask}
    answers = [topic.answer for topic in text.topics]
    questions = read_questions()
    reserved: set[str] = set()
    for question in questions["questions"]:
        if not any(question["expect"] in answer for answer in answers):
            raise ValueError(f"no answer holds {question['expect']!r}")
        if question["unseen"]:
            new = {word for word in words_of(question["prompt"]) - known if len(word) > 3}
            if len(new) < UNSEEN_WORDS:
                raise ValueError(f"{question['prompt']!r} has only these unseen words: {sorted(new)}")
            reserved |= new
    for prompt in questions["offTopic"]:
        if prompt.lower() in asked:
            raise ValueError(f"{prompt!r} is in the text")
    return reserved


class Writer:
    """Writes conversations without end. The same seed gives the same ones."""

    def __init__(self, text: Text, seed: int):
        self.text = text
        self.rng = random.Random(seed)
        topical = set().union(*(words_of(line) for topic in text.topics for line in topic.names + topic.ask))
        self.beginnings = sorted(word for word in topical if len(word) > 3)
        self.forbidden = topical | check_questions(text)
        self.asking = [
            form for form in text.forms["about"] + text.forms["about_noise"] if re.search(r"[a-z]{2}", form)
        ]
        self.weights = [8 + len(topic.ask) for topic in text.topics]
        self.off_topic_prompts = {prompt.lower() for prompt in read_questions()["offTopic"]}

    def conversation(self, turns: int) -> list[tuple[str, str]]:
        """Questions and answers; each answer belongs to its own question, whatever was said before."""
        return [self.turn() for _ in range(turns)]

    def system(self) -> str:
        return self.filled(self.rng.choice(self.text.forms["system"]))

    def turn(self) -> tuple[str, str]:
        while True:
            question, answer = self.off_topic() if self.rng.random() < 0.45 else self.topical()
            question = self.shaken(question).strip()
            if question and question.lower() not in self.off_topic_prompts:
                return question, answer

    def topical(self) -> tuple[str, str]:
        rng, forms = self.rng, self.text.forms
        # What people ask in many ways is asked often.
        topic = rng.choices(self.text.topics, self.weights)[0]
        chance = rng.random()
        if topic.names and chance < 0.2:
            question = self.filled(rng.choice(forms["about_noise"]).replace("{t}", rng.choice(topic.names)))
            return self.wrapped(question), topic.answer
        if topic.names and chance < 0.4:
            return self.wrapped(self.filled(self.around_name(rng.choice(topic.names)))), topic.answer
        if topic.names and chance < 0.6:
            question = rng.choice(forms["about"]).replace("{t}", rng.choice(topic.names))
        else:
            question = rng.choice(topic.ask)
        return self.wrapped(self.reworded(question)), topic.answer

    def off_topic(self) -> tuple[str, str]:
        rng = self.rng
        kind = rng.choice(self.text.off_topic)
        chance = rng.random()
        if chance < 0.3:
            return self.wrapped(self.filled(self.frame())), self.text.off_topic[-1].answer
        if chance < 0.45:
            # The forms of a topic with nothing known in them: the form alone must not look like a topic.
            form = rng.choice(self.asking)
            subject = " ".join(self.word() for _ in range(rng.choice((1, 1, 2, 3))))
            return self.wrapped(self.filled(form.replace("{t}", subject))), self.text.off_topic[-1].answer
        if kind.forms and rng.random() < 0.5:
            question = self.filled(rng.choice(kind.forms))
        else:
            question = self.reworded(rng.choice(kind.ask))
        return self.wrapped(question), kind.answer

    def frame(self) -> str:
        """A question of the text with all that it is about taken out: what is left must not look like a topic."""
        rng = self.rng
        while True:
            topic = rng.choice(self.text.topics if rng.random() < 0.6 else self.text.off_topic)
            frame = re.sub(
                r"[\w./:'-]*\w",
                lambda match: (
                    match[0] if match[0].lower() in FRAME_WORDS else rng.choice((" {w}", " {w}", " {w}", "{W}"))
                ),
                rng.choice(topic.ask),
            )
            if "{w}" in frame:
                return " ".join(frame.split())

    def around_name(self, name: str) -> str:
        """Such a frame with one thing put in that is known: this, and not the frame, decides the answer."""
        parts = self.frame().split("{w}")
        place = self.rng.randrange(1, len(parts))
        return "{w}".join(parts[:place]) + name + "{w}".join(parts[place:])

    def wrapped(self, question: str) -> str:
        """What stands around a question: politeness, or talk about things that the model does not know."""
        chance = self.rng.random()
        if chance < 0.15:
            return self.rng.choice(self.text.forms["around"]).replace("{q}", question)
        if chance < 0.35:
            return self.filled(self.rng.choice(self.text.forms["noise"])).replace("{q}", question)
        if chance < 0.5:
            # Two sentences in one breath, of which only one is about something known.
            beside = self.filled(self.frame()).rstrip(".?! ")
            pair = [question.rstrip(".?! "), beside[:1].lower() + beside[1:]]
            return self.rng.choice((", ", ", ", ". ", " and ")).join(self.rng.sample(pair, 2)) + "?"
        return question

    def reworded(self, question: str) -> str:
        """Puts one wording for another, and now and then one unknown word among the known."""
        rng = self.rng
        for group in self.text.forms["same"]:
            for wording in group:
                if wording in question:
                    if rng.random() < 0.4:
                        question = question.replace(wording, rng.choice(group), 1)
                    break
        if rng.random() < 0.12:
            words = question.split(" ")
            words.insert(rng.randrange(len(words) + 1), self.word())
            question = " ".join(words)
        return question

    def filled(self, form: str) -> str:
        makers = {"w": self.word, "W": self.name, "n": self.number, "x": self.gibberish}
        return re.sub(r"\{([wWnx])\}", lambda match: makers[match[1]](), form)

    def word(self) -> str:
        rng = self.rng
        while True:
            chance = rng.random()
            word = rng.choice(self.text.plain) if chance < 0.6 else self.made_up()
            if chance > 0.88:
                # It begins as a word of the topics does, and is another one all the same.
                word = rng.choice(self.beginnings)[: rng.randrange(2, 6)] + word
            if rng.random() < 0.3:
                word += rng.choice(("s", "ed", "ing", "ly", "er", "ness", "ation", "able"))
            if word not in self.forbidden:
                return word

    def made_up(self) -> str:
        rng = self.rng
        count = rng.choice((1, 2, 2, 3, 3, 4))
        return "".join(rng.choice(HEADS) + rng.choice(VOWELS) + rng.choice(TAILS) for _ in range(count))

    def name(self) -> str:
        return self.rng.choice(self.text.names) if self.rng.random() < 0.5 else self.made_up().capitalize()

    def number(self) -> str:
        return str(self.rng.randrange(10 ** self.rng.randrange(1, 5)))

    def gibberish(self) -> str:
        return "".join(self.rng.choice(string.ascii_lowercase) for _ in range(self.rng.randrange(2, 9)))

    def shaken(self, question: str) -> str:
        """How people really type: lower case, no question mark, a slip of the finger, a word left out."""
        rng = self.rng
        if rng.random() < 0.06:
            # As typed into a search box.
            kept = [word for word in question.split(" ") if word.lower() not in SEARCH_DROPS]
            question = " ".join(kept) or question
        elif rng.random() < 0.08:
            words = question.split(" ")
            if len(words) > 4:
                small = [i for i, word in enumerate(words) if word.lower() in SMALL_WORDS]
                if small:
                    del words[rng.choice(small)]
            question = " ".join(words)
        if rng.random() < 0.12:
            question = self.typo(question)
        if rng.random() < 0.3:
            question = question.lower()
        elif rng.random() < 0.03:
            question = question.upper()
        elif rng.random() < 0.4:
            question = question[:1].upper() + question[1:]
        if rng.random() < 0.2:
            question = question.rstrip("?.! ")
        return question

    def typo(self, question: str) -> str:
        rng = self.rng
        places = [i for i in range(1, len(question) - 1) if question[i - 1 : i + 2].isalpha()]
        if not places:
            return question
        i = rng.choice(places)
        how = rng.randrange(4)
        if how == 0:
            return question[:i] + question[i + 1 :]
        if how == 1:
            return question[:i] + question[i + 1] + question[i] + question[i + 2 :]
        if how == 2:
            return question[:i] + question[i] + question[i:]
        return question[:i] + rng.choice(string.ascii_lowercase) + question[i + 1 :]


if __name__ == "__main__":
    everything = read_text()
    writer = Writer(everything, seed=0)
    print(
        f"{len(everything.topics)} topics, {len(everything.off_topic)} kinds of other prompts; questions.json is fair"
    )
    for asked, answered in writer.conversation(20):
        print(f"\n> {asked}\n{answered}")
