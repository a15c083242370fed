"""Small talk made on the spot, for a student that has read nothing else: greetings, thanks, facts, little tasks, and
talk that names numbers without asking for reckoning. No text and no template of `probes` occurs here.
"""

import random
from collections.abc import Iterator
from typing import NamedTuple

from understudy.records import Message


class Talk(NamedTuple):
    """What people say, and what is fit to reply; {x} and {y} are filled from `slots`."""

    asks: tuple[str, ...]
    replies: tuple[str, ...]
    slots: tuple[tuple[str, str], ...] = (("", ""),)


CAPITALS = (
    ("France", "Paris"), ("Italy", "Rome"), ("Spain", "Madrid"), ("Japan", "Tokyo"), ("Egypt", "Cairo"),
    ("Greece", "Athens"), ("Norway", "Oslo"), ("Peru", "Lima"), ("Cuba", "Havana"), ("Austria", "Vienna"),
)  # fmt: skip
COLORS = (
    ("the sky", "blue"), ("grass", "green"), ("snow", "white"), ("a lemon", "yellow"), ("coal", "black"),
    ("a tomato", "red"), ("an orange", "orange"), ("milk", "white"),
)  # fmt: skip
OPPOSITES = (
    ("hot", "cold"), ("big", "small"), ("day", "night"), ("up", "down"), ("fast", "slow"), ("old", "new"),
    ("happy", "sad"), ("open", "closed"), ("left", "right"), ("dark", "light"),
)  # fmt: skip
COUNTED = (
    ("legs does a spider", "8 legs"), ("days does a week", "7 days"), ("months does a year", "12 months"),
    ("wheels does a car", "4 wheels"), ("legs does a dog", "4 legs"), ("fingers does a hand", "5 fingers"),
    ("sides does a triangle", "3 sides"), ("hours does a day", "24 hours"),
)  # fmt: skip
THINGS = tuple((x, "") for x in ("the sea", "a cat", "the moon", "a tree", "spring", "a bird", "the rain", "bread"))
NUMBERS = tuple((str(n), "") for n in range(2, 20))
FRIENDS = tuple((x, "") for x in ("Anna", "Ben", "Carl", "Dina", "Ella", "Finn", "Gina", "Hugo", "Ivan", "Lena"))

HELLO = ("Hello! How can I help you?", "Hi! What can I do for you?", "Hello! Nice to meet you.")
WELCOME = ("You are welcome!", "Any time!", "Glad to help!")
WELL = ("I am fine, thank you. How are you?", "Very well, thank you!")
BYE = ("Goodbye! See you soon.", "Bye! Take care.")

TALKS = (
    Talk(("Hi", "Hi!", "Hi there!", "Hey", "Hey you!", "Good morning!", "Good day!", "Hello friend!", "Greetings!",
          "Hello and good morning!", "Hey hey!", "Oh, hi!", "Hi, good to see you!"), HELLO),
    Talk(("Hi, I am {x}.", "Hey, {x} here.", "My name is {x}.", "Good morning, I am {x}!"),
         ("Hello {x}! How can I help you?", "Hi {x}! Nice to meet you."), FRIENDS),
    Talk(("Thank you!", "Thanks!", "Thank you so much.", "Great, thanks.", "I thank you.", "Thanks, that is kind.",
          "Nice, thank you!", "That was good, thanks!", "Perfect, thank you."), WELCOME),
    Talk(("How are you?", "How do you feel?", "Are you well?", "How is it going today?", "Is all well with you?"),
         WELL),
    Talk(("Goodbye!", "Bye!", "See you!", "I have to go now.", "Good night!", "Bye bye, friend."), BYE),
    Talk(("Who are you?", "What are you?", "Are you a robot?", "Do you have a name?", "Tell me who you are."),
         ("I am a small language model.", "I am a little assistant made of numbers.")),
    Talk(("Name the capital of {x}.", "Which city is the capital of {x}?", "The capital of {x} is which city?",
          "Do you know the capital of {x}?"), ("The capital of {x} is {y}.",), CAPITALS),
    Talk(("Which color has {x}?", "What is the color of {x}?", "Name the color of {x}."), ("It is {y}.",), COLORS),
    Talk(("Give the opposite of {x}.", "Which word is the opposite of {x}?", "{x} is the opposite of what?"),
         ("The opposite is {y}.",), OPPOSITES),
    Talk(("How many {x} have?", "Do you know how many {x} have?"), ("It has {y}.",), COUNTED),
    Talk(("Write a line about {x}.", "Say something nice about {x}.", "Give me a poem about {x}.", "Describe {x}.",
          "Make a short verse about {x}."), ("I like {x} very much.", "Oh {x}, how nice you are!"), THINGS),
    Talk(("Tell a joke about {x}.", "Do you know a joke about {x}?", "Make me laugh about {x}."),
         ("Why does {x} smile? It heard a good joke!",), THINGS),
    Talk(("Make me laugh with the number {x}.", "Write a line about {x} apples.", "Give me a poem about {x} dogs.",
          "Describe {x} red books."), ("That is a nice thing to write about!",), NUMBERS),
    Talk(("My favorite number is {x}.", "I like the number {x}.", "I am {x} years old today.", "My dog is {x}.",
          "It is {x} in the morning.", "I have {x} cats and I like them.", "I waited {x} minutes for the bus."),
         ("That is nice to hear!", "How nice!"), NUMBERS),
    Talk(("How many people live in {y}?", "How many people are in {x}?", "How old is {x}?", "How far is it to {y}?"),
         ("I do not know that.", "I am not sure about that."), CAPITALS),
    Talk(("Repeat the word {x}.", "Write the word {x}.", "Spell the word {x}."), ("{x}",), OPPOSITES),
    Talk(("I am sad today.", "I had a bad day.", "I feel tired.", "Nobody likes me."),
         ("I am sorry to hear that.", "I hope it gets better soon.")),
    Talk(("It is a sunny day.", "I like music.", "The box is red.", "I found a new book.", "Today I was at the sea."),
         ("That is nice to hear!", "How nice!")),
)  # fmt: skip


def small_talk(seed: int) -> Iterator[tuple[Message, Message]]:
    """Endless exchanges of one question and one reply; every kind of talk equally often."""
    rng = random.Random(f"small_talk/{seed}")
    while True:
        talk = rng.choice(TALKS)
        x, y = rng.choice(talk.slots)
        ask, reply = rng.choice(talk.asks), rng.choice(talk.replies)
        ask, reply = (t.format(x=x, y=y) for t in (ask, reply))
        yield Message(role="user", content=ask), Message(role="assistant", content=reply[:1].upper() + reply[1:])


def every_text() -> Iterator[str]:
    """Each text that `small_talk` may say, for tokenizers and for checks of what is held out."""
    for talk in TALKS:
        for x, y in talk.slots:
            for text in (*talk.asks, *talk.replies):
                filled = text.format(x=x, y=y)
                yield filled[:1].upper() + filled[1:] if text in talk.replies else filled
