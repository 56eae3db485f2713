"""The words that `make_reviews` writes with. Index 0 of a pair is negative, 1 is positive."""

FILM = ("film", "movie", "picture", "comedy", "drama", "thriller", "sequel")

THING = (
    "acting", "plot", "script", "soundtrack", "cast", "ending", "dialogue", "camera work", "pacing",
    "humor", "music", "story", "film", "movie", "first half", "final scene",
)  # fmt: skip

# Words that one may also deny: "not dull" praises.
ADJECTIVE = (
    (
        "boring", "dull", "predictable", "slow", "bad", "clumsy", "silly", "forgettable", "tedious",
        "confusing", "annoying", "weak", "disappointing",
    ),
    (
        "funny", "good", "moving", "clever", "convincing", "fresh", "gripping", "memorable", "great",
        "charming", "original", "exciting", "interesting",
    ),
)  # fmt: skip

# Words too strong to be denied in natural English.
STRONG = (
    ("terrible", "awful", "dreadful", "horrible", "unwatchable", "pathetic"),
    ("superb", "brilliant", "wonderful", "excellent", "fantastic", "amazing"),
)  # fmt: skip

# (past, base) of what a viewer does, and of what a thing on the screen does.
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

INTENSIFIER = ("", "", "", "very ", "really ", "truly ", "so ")
COPULA = ("is", "was", "felt", "seemed")
NOT = ("is not", "was not", "isn't", "wasn't", "is never", "was never", "did not seem", "is not very")
DID_NOT = ("did not", "didn't", "did not really", "never")
DOES_NOT = ("does not", "doesn't", "never")

# {0} is what gives way, {1} is what counts: the label of a contrast is that of {1}.
CONTRAST = (
    "{0}, but {1}.", "{0}, but {1}.", "{0}. However, {1}.", "{0}, and yet {1}.", "yes, {0}, but {1}.",
    "although {0}, {1}.", "even though {0}, {1}.", "{1}, even though {0}.",
)  # fmt: skip
AGREEMENT = ("{0}, and {1}.", "{0}. {1}.", "{0}; {1}.", "{0}, because {1}.", "{0}, and also {1}.")

# {0} is the word that gives way, {1} the word that counts.
EXPECTED = (
    "I expected a {0} {film}, but I got a {1} one.",
    "the critics called the {thing} {0}, but to me it was {1}.",
    "it is {1}, not {0}.",
    "it is not {0} but {1}.",
    "despite the {0} {thing}, this is a {1} {film}.",
)

IDIOM = (
    (
        "A waste of time", "What a waste of time", "A complete waste of money",
        "Not worth a minute", "Not worth the ticket", "Not worth seeing", "I want my money back",
        "Avoid it", "Avoid this movie", "Save your money", "Do not waste your time", "Don't bother",
        "Skip this one", "I walked out after an hour", "I fell asleep", "Not recommended",
        "I cannot recommend it", "I would not watch it again", "Never again",
        "I could not wait for it to end", "You will regret it", "Not a single laugh",
        "Every minute is wasted", "One of the worst films of the year", "Two thumbs down",
        "No masterpiece", "It does not get any worse", "There are better ways to spend an evening",
        "Every scene made me want to leave", "I want those two hours back", "Not for me",
        "It was a mistake to see it", "Money badly spent", "It left me cold", "A mess",
        "A disaster from start to finish", "Nothing works here", "Nobody should watch this",
    ),
    (
        "Worth every minute", "Worth every penny", "Well worth the ticket", "Well worth seeing",
        "Not a waste of time at all", "Far from a waste of money", "See it",
        "Do not miss it", "Don't miss this movie", "You have to see this one", "A must-see",
        "I laughed until I cried", "I was on the edge of my seat", "Highly recommended",
        "I can only recommend it", "I would watch it again", "I will watch it again and again",
        "I did not want it to end", "You will not regret it", "Never a dull moment",
        "Not a minute is wasted", "One of the best films of the year", "Two thumbs up",
        "A masterpiece", "It does not get any better", "There is no better way to spend an evening",
        "Every scene made me want to stay", "Two hours well spent", "Just right for me",
        "It was no mistake to see it", "Money well spent", "It warmed my heart", "A joy",
        "A triumph from start to finish", "Everything works here", "Everybody should watch this",
    ),
)  # fmt: skip

# Says nothing about the film.
ASIDE = (
    "We saw it on a rainy Sunday.", "My sister picked it.", "I watched it with my brother.",
    "It runs for two hours.", "The theater was half full.", "It is set in Chicago.",
    "I had read the book before.", "It came out last summer.", "We watched it at home.",
    "The tickets were sold out.", "It is based on a novel.", "I saw it twice.",
    "My parents came along.", "It follows a family over one winter.", "It was shot in black and white.",
    "I knew nothing about the director.", "The kids were with us.", "It takes place on a train.",
    "A neighbor lent me the disc.", "It was the late show on a Friday.",
)  # fmt: skip
LEAD = ("Honestly, ", "For me, ", "In short, ", "To be fair, ", "All in all, ", "In my opinion, ")
