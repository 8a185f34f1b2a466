"""Sentences about things, made from word lists with a seed: no two sites say the same, and none repeats itself."""

from __future__ import annotations

from random import Random

TOPICS = {
    "hiking": ("tent trail ridge valley boot backpack summit stove compass shelter lake forest camp hut rope map sleeping-bag poncho "
               "headlamp meadow glacier waterfall gear hike scramble bivouac jacket fleece snowfield path").split(),
    "cooking": ("onion garlic oven skillet dough butter pepper basil broth lentil knife saucepan recipe supper oatmeal lemon thyme yeast "
                "crust filling marinade noodle pancake cupboard apron whisk ladle tomato cheese bread").split(),
    "camera": ("lens shutter tripod aperture portrait sensor exposure filter flash zoom contrast studio print negative viewfinder frame "
               "sharpness grain highlight shadow backdrop album gallery photo focus memory-card colour lightroom strap bag").split(),
    "garden": ("seedling compost rose hedge trowel greenhouse tomato bulb mulch pruning lavender fence bench watering-can soil frost apple "
               "tree border perennial lawn weed blossom pot trellis bee snail orchard root").split(),
    "travel": ("ferry harbour island market hostel ticket border bridge village museum platform luggage passport tram castle beach coast "
               "guidebook airport promenade cathedral tower square river cafe train bus map night view").split(),
    "bikes": ("saddle chain brake wheel tyre gear fork pedal helmet frame pannier lamp commute mudguard spoke pump valve handlebar climb "
              "descent cobbles gravel tour hub rim tube basket lock mirror bell").split(),
}  # fmt: skip
OPENERS = ("Last spring", "On a cold morning", "Two years ago", "After the first frost", "When the rain stopped", "Most people say that",
           "My neighbour thinks", "In the end", "To our surprise", "Every now and then", "For beginners", "If you ask me", "Before you start",
           "At the far end", "Early in June", "By the third day", "Whenever we can")  # fmt: skip
VERBS = ("carried", "compared", "repaired", "lost", "tested", "borrowed", "packed", "forgot", "found", "cleaned", "recommended", "weighed",
         "photographed", "bought", "returned", "mended", "drew", "measured", "replaced", "admired")  # fmt: skip
LINKS = ("beside", "under", "near", "behind", "instead of", "together with", "because of", "without", "just above", "long before",
         "not far from", "right after")  # fmt: skip
ENDINGS = ("and it held well", "which nobody expected", "and we would do it again", "though it took the whole day", "for less than forty euros",
           "as the pictures show", "and that was a mistake", "so we went home early", "until the light was gone", "to everyone's delight",
           "and my sister laughed", "which saved us an hour", "despite the wind", "and the children fell asleep")  # fmt: skip

GERMAN = ("Im letzten Sommer sind wir mit dem Zelt durch die Berge gewandert und haben am See geschlafen. Der Rucksack war schwer, aber der "
          "Kocher hat jeden Abend funktioniert. Am dritten Tag kam der Regen, und wir mussten den Weg durch das Tal nehmen. Für Anfänger "
          "empfehlen wir leichte Schuhe und eine gute Karte. Die Hütte oben am Grat war leider geschlossen. Trotzdem war es die schönste "
          "Wanderung des Jahres, und die Kinder sprechen noch heute davon. Wer früh aufsteht, sieht die Gämsen am Hang. ")  # fmt: skip


FRENCH = ("L'été dernier nous avons marché dans la montagne avec une tente légère et deux sacs trop lourds. Le réchaud a tenu, la carte aussi, "
          "mais la pluie du troisième jour nous a fait redescendre dans la vallée. Les enfants préfèrent le bord du lac, où l'on peut dormir "
          "sous les arbres. Pour les débutants, il vaut mieux de bonnes chaussures et un départ tôt le matin, quand il fait encore frais. ")  # fmt: skip


def prose(seed: str, topic: str, words: int) -> str:
    """About so many words of sentences about a topic, in paragraphs; the same seed always gives the same."""
    random = Random(f"{seed} {topic}")
    paragraphs, count = [], 0
    while count < words:
        sentences = [sentence(random, topic) for _ in range(random.randint(3, 6))]
        paragraphs.append("<p>" + " ".join(sentences) + "</p>")
        count += sum(len(one.split()) for one in sentences)
    return "\n".join(paragraphs)


def sentence(random: Random, topic: str) -> str:
    """One sentence."""
    things = TOPICS[topic]
    one, two, three = random.sample(things, 3)
    number = random.randint(2, 90)
    forms = (
        f"{random.choice(OPENERS)} we {random.choice(VERBS)} the {one} {random.choice(LINKS)} the {two}, {random.choice(ENDINGS)}.",
        f"A {one} of {number} grams is {random.choice(('lighter', 'heavier', 'older', 'cheaper'))} than any {two} we {random.choice(VERBS)}.",
        f"{random.choice(OPENERS)} the {one} {random.choice(LINKS)} our {two} needs a new {three}, {random.choice(ENDINGS)}.",
        f"How do you choose a {one}? We {random.choice(VERBS)} {number} of them {random.choice(LINKS)} the {two}.",
    )
    return random.choice(forms)
