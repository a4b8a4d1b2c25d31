/**
 * What a rule file may ask for. A rule may come from a stranger: no text may cost more time or memory to
 * load, hash or match than its size explains. Each limit is far above what published rules need; SigmaHQ's
 * 3,757 rules are 7 MB, the largest has 4,432 values in 295 kB.
 */
export const limits = {
  /** Characters of a file: all of SigmaHQ in one file, four times over. */
  fileCharacters: 32 * 1024 * 1024,
  /** Documents of a file: all of SigmaHQ in one file, five times over. */
  documentsPerFile: 20_000,
  /** Values of a document after aliases are opened, so that a few lines cannot stand for billions. */
  nodesPerDocument: 200_000,
  /** Values that rules of one file are given by `action: global` and `repeat`, all rules together. */
  repeatedNodesPerFile: 1_000_000,
  /** Depth of lists and maps: the readers recurse, and must not overflow the stack. */
  nesting: 64,
  /** Characters of one value: patterns are matched in time of value times text. */
  valueCharacters: 65_536,
  /** Characters of a regular expression; its automaton grows with it. */
  regexCharacters: 4096,
  /** Regular expressions of a file; a short one may take 5 ms to compile. SigmaHQ has 217 in all its files. */
  regexesPerFile: 10_000,
  /** What one value may expand to: `windash` writes every dash in five ways, so four dashes are 625. */
  alternativesPerValue: 1000,
  /** Tests of a detection once values are expanded and selectors are replaced by what they name. */
  testsPerDetection: 200_000,
  /** Search identifiers; the largest detection of SigmaHQ has some thirty. */
  identifiersPerDetection: 1000,
  /** Characters of a condition, or of all conditions of a list; the longest of SigmaHQ has 553. */
  conditionCharacters: 16_384,
  /** Parentheses within parentheses: nobody can read more, and evaluation recurses. */
  parentheses: 64,
  /** Rules of one correlation: which of them an event matches is kept as the bits of one number. */
  rulesPerCorrelation: 30,
  /** Filters of one rule: each is evaluated with it. */
  filtersPerRule: 100,
  /** Fields whose values make a group or a counted tuple. */
  fieldsPerGroup: 32,
  /** Correlations of correlations of correlations: each level reads the events of the one below again. */
  chainLength: 8,
  /** The longest timespan in days; the events of a window must still be there. */
  timespanDays: 366,
} as const;
