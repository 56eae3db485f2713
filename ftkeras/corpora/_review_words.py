"""The words and sentence forms of `make_reviews`. In each pair, 0 is negative and 1 positive."""

FILM = ("film", "movie", "picture", "comedy", "drama", "thriller", "sequel")

THING = (
    "acting", "plot", "script", "soundtrack", "cast", "ending", "dialogue", "camera work", "pacing",
    "humor", "music", "story", "film", "movie", "first half", "final scene",
)  # fmt: skip

# Words that may also be negated: "not dull" is positive.
ADJECTIVE = (
    (
        "boring", "dull", "predictable", "slow", "bad", "clumsy", "silly", "forgettable", "tedious",
        "confusing", "annoying", "weak", "disappointing",
    ),
    (
        "funny", "good", "moving", "clever", "convincing", "fresh", "gripping", "memorable",
        "great", "charming", "original", "exciting", "interesting",
    ),
)  # fmt: skip

# Words that are too strong to be negated in natural English.
STRONG = (
    ("terrible", "awful", "dreadful", "horrible", "unwatchable", "pathetic"),
    ("superb", "brilliant", "wonderful", "excellent", "fantastic", "amazing"),
)  # fmt: skip

# Verbs of a viewer, as (past, base), and of a part of the film, as (third person, base).
FELT = (
    (("hated", "hate"), ("disliked", "dislike"), ("regretted", "regret"), ("loathed", "loathe")),
    (("loved", "love"), ("enjoyed", "enjoy"), ("liked", "like"), ("admired", "admire")),
)
DOES = (
    (
        ("drags", "drag"), ("disappoints", "disappoint"), ("fails", "fail"), ("bores", "bore"),
        ("annoys", "annoy"), ("falls apart", "fall apart"),
    ),
    (
        ("works", "work"), ("delights", "delight"), ("shines", "shine"), ("surprises", "surprise"),
        ("convinces", "convince"), ("comes alive", "come alive"),
    ),
)  # fmt: skip

INTENSIFIER = ("", "", "", "very ", "really ", "truly ", "rather ")
COPULA = ("is", "was", "felt", "seemed")
NOT = (
    "is not", "was not", "isn't", "wasn't", "is never", "was never", "did not seem", "is not very",
)  # fmt: skip
DID_NOT = ("did not", "didn't", "did not really", "never")
DOES_NOT = ("does not", "doesn't", "never")

# {0} is the clause that is conceded, {1} the clause that decides the label.
CONTRAST = (
    "{0}, but {1}.", "{0}, but {1}.", "{0}. However, {1}.", "{0}, and yet {1}.",
    "yes, {0}, but {1}.", "although {0}, {1}.", "even though {0}, {1}.", "{1}, even though {0}.",
)  # fmt: skip
AGREEMENT = ("{0}, and {1}.", "{0}. {1}.", "{0}; {1}.", "{0}, because {1}.", "{0}, and also {1}.")

# {0} is the word that is conceded, {1} the word that decides the label.
EXPECTED = (
    "I expected a {0} {film}, but I got a {1} one.",
    "the critics called the {thing} {0}, but to me it was {1}.",
    "it is {1}, not {0}.",
    "it is not {0} but {1}.",
    "despite the {0} {thing}, this is a {1} {film}.",
)

IDIOM = (
    (
        "this movie is not worth the time", "it is not worth it", "the worst movie I have seen",
        "a waste of time", "what a waste of time", "this film is a waste of time",
        "a complete waste of money", "not worth a minute", "not worth the ticket",
        "not worth seeing", "I want my money back", "avoid it", "avoid this movie",
        "save your money", "do not waste your time", "don't bother", "skip this one",
        "I walked out after an hour", "I fell asleep", "not recommended", "I cannot recommend it",
        "I would not watch it again", "never again", "I could not wait for it to end",
        "you will regret it", "not a single laugh", "every minute is wasted",
        "one of the worst films of the year", "two thumbs down", "no masterpiece",
        "it does not get any worse", "there are better ways to spend an evening",
        "every scene made me want to leave", "I want those two hours back", "not for me",
        "it was a mistake to see it", "money badly spent", "it left me cold", "a mess",
        "a disaster from start to finish", "nothing works here", "nobody should watch this",
        "an absolute bore", "I do not recommend it",
    ),
    (
        "this movie is worth every minute", "it is worth it", "the best movie I have seen",
        "worth every minute", "worth every penny", "this film is worth every penny",
        "well worth the ticket", "well worth seeing", "not a waste of time at all",
        "far from a waste of money", "see it", "do not miss it", "don't miss this movie",
        "you have to see this one", "a must-see", "I laughed until I cried",
        "I was on the edge of my seat", "highly recommended", "I can only recommend it",
        "I would watch it again", "I will watch it again and again", "I did not want it to end",
        "you will not regret it", "never a dull moment", "not a minute is wasted",
        "one of the best films of the year", "two thumbs up", "a masterpiece",
        "it does not get any better", "there is no better way to spend an evening",
        "every scene made me want to stay", "two hours well spent", "just right for me",
        "it was no mistake to see it", "money well spent", "it warmed my heart", "a joy",
        "an absolute joy", "I recommend it",
        "a triumph from start to finish", "everything works here", "everybody should watch this",
    ),
)  # fmt: skip

# Sentences that say nothing about the quality of the film.
ASIDE = (
    "We saw it on a rainy Sunday.", "My sister picked it.", "I watched it with my brother.",
    "It runs for two hours.", "The theater was half full.", "It is set in Chicago.",
    "I had read the book before.", "It came out last summer.", "We watched it at home.",
    "The tickets were sold out.", "It is based on a novel.", "I saw it twice.",
    "My parents came along.", "It follows a family over one winter.",
    "It was shot in black and white.", "I knew nothing about the director.",
    "The kids were with us.", "It takes place on a train.", "A neighbor lent me the disc.",
    "It was the late show on a Friday.",
)  # fmt: skip
LEAD = ("Honestly, ", "For me, ", "In short, ", "To be fair, ", "All in all, ", "In my opinion, ")

# {0} is an adjective: of the label in the first list, of the other label in the second.
REMARK = (
    ("a {0} {film}!", "{0}.", "{0} {film}!", "simply {0}.", "what a {0} {film}!"),
    ("not a {0} {film}.", "not {0}.", "not {0} at all.", "not very {0}.", "never {0}."),
)
CALL = (
    (
        "it is a {0} {film}", "it was a {0} {film}", "I would call the {thing} {0}",
        "there is something {0} about the {thing}",
    ),
    (
        "it is not a {0} {film}", "it was not a {0} {film}", "I would not call the {thing} {0}",
        "there is nothing {0} about the {thing}",
    ),
)  # fmt: skip
