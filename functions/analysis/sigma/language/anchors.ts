import { isAlias, isMap, isNode, isSeq } from "yaml";

/**
 * What each alias of a document stands for: the node that last had its anchor before it. Found in one
 * walk, because the library searches the whole document for every alias; without recursion, because
 * nothing has limited the depth yet.
 */
export function anchorsOf(root: unknown): ReadonlyMap<unknown, unknown> {
  const anchors = new Map<string, unknown>();
  const targets = new Map<unknown, unknown>();
  const pending: unknown[] = [root];
  while (pending.length > 0) {
    const node = pending.pop();
    if (isAlias(node)) targets.set(node, anchors.get(node.source));
    else if (isNode(node) && node.anchor !== undefined) anchors.set(node.anchor, node);
    for (const child of childrenOf(node).toReversed()) pending.push(child);
  }
  return targets;
}

function childrenOf(node: unknown): readonly unknown[] {
  if (isSeq(node)) return node.items;
  if (isMap(node)) return node.items.flatMap(({ key, value }) => [key, value]);
  return [];
}
