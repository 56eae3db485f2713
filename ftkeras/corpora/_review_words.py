"""The words that `make_reviews` writes with. Index 0 of a pair is negative, 1 is positive."""

FILM = ("film", "movie", "picture", "story", "sequel", "comedy", "drama", "thriller", "remake")

THING = (
    "acting", "plot", "script", "soundtrack", "cast", "ending", "dialogue", "camera work", "pacing",
    "direction", "opening", "first half", "second half", "last act", "lead actor", "villain",
    "humor", "music", "story", "film", "movie", "main character", "final scene", "editing",
)  # fmt: skip

# Words that one may also deny: "not dull" praises.
ADJECTIVE = (
    (
        "boring", "dull", "predictable", "slow", "bad", "clumsy", "silly", "forgettable", "tedious",
        "confusing", "annoying", "flat", "weak", "shallow", "lazy", "messy", "disappointing",
    ),
    (
        "funny", "good", "moving", "clever", "convincing", "fresh", "gripping", "memorable", "great",
        "charming", "original", "exciting", "interesting", "engaging", "touching", "beautiful",
        "impressive",
    ),
)  # fmt: skip

# Words too strong to be denied in natural English.
STRONG = (
    ("terrible", "awful", "dreadful", "horrible", "worthless", "unwatchable", "pathetic", "poor"),
    ("superb", "brilliant", "wonderful", "masterful", "excellent", "fantastic", "perfect", "amazing"),
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

INTENSIFIER = ("", "", "", "very ", "really ", "quite ", "truly ", "so ", "surprisingly ")
COPULA = ("is", "was", "felt", "seemed", "looked")
NOT = (
    "is not", "was not", "isn't", "wasn't", "is never", "was never", "did not feel",
    "didn't seem", "is not very", "is not at all",
)  # fmt: skip
DID_NOT = ("did not", "didn't", "did not really", "never")
DOES_NOT = ("does not", "doesn't", "never", "hardly ever")

# {0} is what gives way, {1} is what counts: the label of a contrast is that of {1}.
CONTRAST = (
    "{0}, but {1}.", "{0}, yet {1}.", "{0}. However, {1}.", "{0}. Still, {1}.", "although {0}, {1}.",
    "while {0}, {1}.", "even though {0}, {1}.", "{1}, although {0}.", "{1}, even though {0}.",
    "yes, {0}, but {1}.", "granted, {0}; all the same, {1}.",
)  # fmt: skip
AGREEMENT = (
    "{0}, and {1}.", "{0}. {1}.", "{0}, and what is more, {1}.", "{0}; {1}.", "{0}, because {1}.",
    "{0}. On top of that, {1}.",
)  # fmt: skip

# {0} is the word that gives way, {1} the word that counts.
EXPECTED = (
    "I expected a {0} {film}, but I got a {1} one.",
    "I got a {1} {film} where I had expected a {0} one.",
    "the critics called the {thing} {0}; to me it was {1}.",
    "to me the {thing} was {1}, whatever the critics said about a {0} {film}.",
    "my friends warned me that it would be {0}, and I found it {1}.",
    "it is {1}, not {0}.",
    "it is not {0} but {1}.",
    "less {0} than I had thought, and far more {1}.",
    "despite the {0} {thing}, this is a {1} {film}.",
    "this is a {1} {film}, despite the {0} {thing}.",
)

# What {0} was, had it come true: the label is the opposite of the word's.
UNFULFILLED = (
    "I was told that it would be {0}. It was not.",
    "they promised a {0} {film}, and they were wrong.",
    "it tries to be {0} and does not manage it.",
    "it could have been a {0} {film}; it is not.",
    "I was sure that the {thing} would be {0}, and I was mistaken.",
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
