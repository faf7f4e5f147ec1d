// Rows as aligned columns, for people. The danger it guards against: a value from a log or a file that moves the cursor.

export function table(rows: readonly (readonly string[])[], indent = ''): string {
  const shown = rows.map((row) => row.map(printable))
  const columns = Math.max(0, ...shown.map(({ length }) => length))
  const widths = Array.from({ length: columns }, (_, i) => Math.max(...shown.map((row) => row[i]?.length ?? 0)))
  return shown
    .map(
      (row) =>
        indent +
        row
          .map((cell, i) => cell.padEnd(widths[i] ?? 0))
          .join('  ')
          .trimEnd(),
    )
    .join('\n')
}

/** Control characters as escapes. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`)
}
