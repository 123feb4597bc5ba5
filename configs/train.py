"""A training program that knows nothing of hptune: options in, a result file out. Standard library only.

    python train.py --lr 0.1 --momentum 0.9 --out result.json

Fits a logistic regression to points that it makes itself by stochastic gradient descent, and writes the loss and the
accuracy on points that it was not trained on.
"""

from __future__ import annotations

import argparse
import json
import math
import random
from pathlib import Path

FEATURES, TRAIN, TEST, EPOCHS = 8, 150, 150, 6


def points(rng: random.Random, count: int) -> list[tuple[list[float], int]]:
    """Return (x, label) pairs; the label depends on x through fixed weights, and on luck."""
    weights = [(-1) ** i * 2 / (1 + i) for i in range(FEATURES)]
    out = []
    for _ in range(count):
        x = [rng.gauss(0, 1) for _ in weights]
        chance = sigmoid(sum(w * one for w, one in zip(weights, x, strict=True)))
        out.append((x, int(rng.random() < chance)))
    return out


def sigmoid(z: float) -> float:
    """Return 1 / (1 + exp(-z)) without overflow."""
    return 0.5 * (1 + math.tanh(z / 2))


def main() -> None:
    """Train, report each epoch, write the result."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=0.01)
    parser.add_argument("--momentum", type=float, default=0.0)
    parser.add_argument("--schedule", choices=["constant", "decay"], default="constant")
    parser.add_argument("--decay", type=float, default=1.0, help="factor of the learning rate after each epoch")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", required=True)
    options = parser.parse_args()
    rng = random.Random(options.seed)  # noqa: S311 - toy data
    train, test = points(rng, TRAIN), points(rng, TEST)
    weights, velocity, rate = [0.0] * FEATURES, [0.0] * FEATURES, options.lr
    for epoch in range(EPOCHS):
        rng.shuffle(train)
        for x, label in train:
            error = predict(weights, x) - label
            for i, one in enumerate(x):
                velocity[i] = options.momentum * velocity[i] - rate * error * one
                weights[i] += velocity[i]
        if options.schedule == "decay":
            rate *= options.decay
        print(f"epoch {epoch}: loss={loss(weights, test):.4f}")  # noqa: T201 - a program of its own
    right = sum((predict(weights, x) > 0.5) == label for x, label in test)
    result = {"loss": loss(weights, test), "accuracy": right / TEST}
    Path(options.out).write_text(json.dumps(result))


def predict(weights: list[float], x: list[float]) -> float:
    """Return the chance of label 1."""
    return sigmoid(sum(w * one for w, one in zip(weights, x, strict=True)))


def loss(weights: list[float], rows: list[tuple[list[float], int]]) -> float:
    """Return the mean log loss."""
    chances = (min(max(predict(weights, x), 1e-12), 1 - 1e-12) for x, _ in rows)
    pairs = zip(chances, (label for _, label in rows), strict=True)
    return -sum(math.log(chance if label else 1 - chance) for chance, label in pairs) / len(rows)


if __name__ == "__main__":
    main()
