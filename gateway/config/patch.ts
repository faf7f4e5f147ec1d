// An edit as a unified diff, for a routes.yaml that only its owner may write: `patch -p0` and `git apply -p0` take it.
// The danger it guards against: a patch that does not apply, or that changes a line break nobody meant.

const contextLines = 3

/** One line with its break; which of the two texts has it. */
interface Line {
  readonly mark: ' ' | '-' | '+'
  readonly words: string
}

/** @param name of the file, as it is called where the patch is applied. @returns '' when the texts are the same */
export function unifiedPatch(name: string, before: string, after: string): string {
  const hunks = hunksOf(diff(linesOf(before), linesOf(after)))
  // A name with a space ends in a tab, or both tools take its first word for it.
  const file = name.includes(' ') ? `${name}\t` : name
  return hunks.length === 0 ? '' : `--- ${file}\n+++ ${file}\n${hunks.join('')}`
}

function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? []
}

/** What both texts begin and end with is set aside; what is left between is as small as the edit. */
function diff(before: readonly string[], after: readonly string[]): Line[] {
  const shorter = Math.min(before.length, after.length)
  let head = 0
  while (head < shorter && before[head] === after[head]) head++
  let tail = 0
  while (tail < shorter - head && before.at(-1 - tail) === after.at(-1 - tail)) tail++
  const kept = (lines: readonly string[]) => lines.map((words): Line => ({ mark: ' ', words }))
  return [
    ...kept(before.slice(0, head)),
    ...diffMiddle(before.slice(head, before.length - tail), after.slice(head, after.length - tail)),
    ...kept(before.slice(before.length - tail)),
  ]
}

/** What the longest common subsequence leaves out. */
function diffMiddle(before: readonly string[], after: readonly string[]): Line[] {
  const commonFrom = countCommon(before, after)
  const markAt = (i: number, j: number): Line['mark'] => {
    if (before[i] === after[j]) return ' '
    return i < before.length && commonFrom(i + 1, j) >= commonFrom(i, j + 1) ? '-' : '+'
  }
  const lines: Line[] = []
  let [i, j] = [0, 0]
  while (i < before.length || j < after.length) {
    const mark = markAt(i, j)
    lines.push({ mark, words: (mark === '+' ? after[j] : before[i]) ?? '' })
    if (mark !== '+') i++
    if (mark !== '-') j++
  }
  return lines
}

/** How many lines the texts have in common, in order, from line i of the one and line j of the other on. */
function countCommon(before: readonly string[], after: readonly string[]): (i: number, j: number) => number {
  const table = before.map(() => after.map(() => 0))
  const at = (i: number, j: number) => table[i]?.[j] ?? 0
  for (const i of [...before.keys()].reverse()) {
    const row = table[i] ?? []
    for (const j of [...after.keys()].reverse()) {
      row[j] = before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
    }
  }
  return at
}

/** Changes whose contexts touch share a hunk. */
function hunksOf(lines: readonly Line[]): string[] {
  const spans: { from: number; to: number }[] = []
  for (const [i, { mark }] of lines.entries()) {
    if (mark === ' ') continue
    const last = spans.at(-1)
    const [from, to] = [Math.max(0, i - contextLines), Math.min(lines.length, i + 1 + contextLines)]
    if (last && from <= last.to) last.to = to
    else spans.push({ from, to })
  }
  return spans.map(({ from, to }) => hunkOf(lines, from, to))
}

function hunkOf(lines: readonly Line[], from: number, to: number): string {
  const range = (other: Line['mark']) => {
    const count = (some: readonly Line[]) => some.filter(({ mark }) => mark !== other).length
    const size = count(lines.slice(from, to))
    // Of an empty range the line before it is named.
    return `${count(lines.slice(0, from)) + (size > 0 ? 1 : 0)},${size}`
  }
  const body = lines.slice(from, to).map(({ mark, words }) => `${mark}${words}${words.endsWith('\n') ? '' : noBreak}`)
  return `@@ -${range('+')} +${range('-')} @@\n${body.join('')}`
}

const noBreak = '\n\\ No newline at end of file\n'
