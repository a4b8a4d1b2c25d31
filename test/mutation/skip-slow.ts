import { beforeEach } from "vitest";

/** About limits: each takes a good part of a second, for every mutant that anything reaches. */
const slow = [
  "many of them are found in one walk",
  "the documents of a file",
  "the values of a document",
  "the depth of a document",
  "many keys are compared",
  "a very long array",
  "an alias bomb",
  "very deep nesting",
  "a few lines cannot repeat",
  "of thousands",
  "UTF-16 has two bytes",
  "addresses are those Node knows",
];

beforeEach(({ task, skip }) => {
  if (slow.some((name) => task.name.includes(name))) skip();
});
