#!/usr/bin/python3
"""Writes the keystrokes of a search: what somebody types on the way to a topic, kind by kind.

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


def typo(word):
    i = rnd.randrange(len(word))
    c = rnd.choice(string.ascii_lowercase)
    return rnd.choice([word[:i] + word[i + 1:], word[:i] + c + word[i:], word[:i] + c + word[i + 1:],
                       word[:i] + word[i + 1:i + 2] + word[i:i + 1] + word[i + 2:]])


with open(sys.argv[2], 'w', encoding='utf-8') as out:
    for k in range(count):
        # half of what is typed is popular, half is anything
        topic = rnd.choices(topics, cum_weights=total)[0][0] if k % 2 else rnd.choice(topics)[0]
        words = topic.split()
        kind = rnd.choices(['prefix', 'order', 'later', 'word', 'typo'], [60, 12, 10, 8, 10])[0]
        if kind == 'prefix':
            text = topic[:rnd.randint(1, 20)]
        elif kind == 'order':
            rnd.shuffle(words)
            words[-1] = words[-1][:rnd.randint(1, len(words[-1]))]
            text = ' '.join(words[-3:])
        elif kind == 'later':
            text = words[-1][:rnd.randint(1, len(words[-1]))]
        elif kind == 'word':
            text = rnd.choice(words)
        else:
            i = rnd.randrange(len(words))
            if len(words[i]) < 4:
                continue
            words[i] = typo(words[i])
            if len(words[i]) >= 8 and rnd.random() < .3:
                words[i] = typo(words[i])
            text = ' '.join(words[:i + 1])
        if text.strip():
            out.write('\t'.join((kind, text, topic)) + '\n')
