#!/usr/bin/python3
"""Writes the keystrokes of a search: texts that are typed on the way to a topic, kind by kind, each text once.

usage: keystrokes.py TOPICS OUT COUNT     TOPICS as gen_topics.py writes it; OUT: kind, text, topic
"""
import random
import string
import sys

rnd = random.Random(7)
topics = []
with open(sys.argv[1], encoding='utf-8') as f:
    for line in f:
        _, topic, _, volume = line.rstrip('\n').split('\t')
        if '\\' not in topic:
            topics.append((topic.lower(), int(volume)))
count = int(sys.argv[3])
total = []
n = 0
for _, v in topics:
    n += v
    total.append(n)

# a kind and how many of 100 texts are of it
KINDS = {'one letter': 4, 'two letters': 8, 'three letters': 10, 'beginning': 32, 'inner word': 12, 'several words': 14,
         'stop words': 6, 'typo': 8, 'two typos': 3, 'nonsense': 3}
STOP = 'the of for and in to a is what how with best on it'.split()


def typo(word):
    i = rnd.randrange(len(word))
    c = rnd.choice(string.ascii_lowercase)
    return rnd.choice([word[:i] + word[i + 1:], word[:i] + c + word[i:], word[:i] + c + word[i + 1:],
                       word[:i] + word[i + 1:i + 2] + word[i:i + 1] + word[i + 2:]])


def keystroke(kind, topic):
    words = topic.split()
    i = rnd.randrange(len(words))
    if kind in ('one letter', 'two letters', 'three letters'):
        n = 1 + list(KINDS).index(kind)
        return topic[:n] if len(topic) >= n else ''
    if kind == 'beginning':
        return topic[:rnd.randint(4, 20)]
    if kind == 'inner word':
        return words[-1][:rnd.randint(1, len(words[-1]))] if len(words) > 1 else ''
    if kind == 'several words':
        rnd.shuffle(words)
        words[-1] = words[-1][:rnd.randint(1, len(words[-1]))]
        return ' '.join(words[-3:]) if len(words) > 1 else ''
    if kind == 'stop words':
        return ' '.join(rnd.sample(STOP, rnd.randint(1, 2))) + rnd.choice(['', ' ', ' ' + topic[:rnd.randint(1, 4)]])
    if kind in ('typo', 'two typos'):
        if len(words[i]) < (4 if kind == 'typo' else 8):
            return ''
        words[i] = typo(words[i]) if kind == 'typo' else typo(typo(words[i]))
        return ' '.join(words[:i + 1])
    return ''.join(rnd.choice(string.ascii_lowercase + ' ') for _ in range(rnd.randint(3, 24)))


seen = set()
with open(sys.argv[2], 'w', encoding='utf-8') as out:
    for k in range(count):
        # half of what is typed is popular, half is anything
        topic = rnd.choices(topics, cum_weights=total)[0][0] if k % 2 else rnd.choice(topics)[0]
        kind = rnd.choices(list(KINDS), list(KINDS.values()))[0]
        text = keystroke(kind, topic)
        if text.strip() and text not in seen:
            seen.add(text)
            out.write('\t'.join((kind, text, topic)) + '\n')
