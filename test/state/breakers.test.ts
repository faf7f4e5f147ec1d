// The table of what a circuit breaker must do, held against our own engine and against opossum. The rows that opossum does not
// pass are held too, as failing: they are why it is not the default, and a version that does better shows.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { opossumEngines } from '../../gateway/state/breaking/opossum.ts'
import { createOwnEngine } from '../../gateway/state/breaking/own.ts'
import { table } from './breakerTable.ts'
import { worldOf } from './breakerWorld.ts'

beforeEach(() => vi.useFakeTimers({ now: 1_000_000 }))
afterEach(() => vi.useRealTimers())

describe('our own breaker', () => {
  test.each(table)('$says', (row) => row.holds(worldOf(createOwnEngine, row)))
})

describe('opossum', () => {
  test.each(table.filter(({ opossum }) => opossum))('$says', (row) => row.holds(worldOf(opossumEngines(), row)))

  test.each(table.filter(({ opossum }) => !opossum))('does not pass: $says', async (row) => {
    await expect(row.holds(worldOf(opossumEngines(), row))).rejects.toThrow()
  })
})

test('the decision shows the table as it is', () => {
  const note = readFileSync(join(import.meta.dirname, '../../gateway/decisions/0007-breaker.md'), 'utf8')
  const shown = note.split('\n').filter((line) => /\| (yes|no) +\|$/.test(line))
  expect(shown).toEqual(table.map(({ says, opossum }) => `| ${says} | yes | ${opossum ? 'yes' : 'no'} |`))
  const passed = table.filter(({ opossum }) => opossum).length
  expect(note).toContain(`| _passed of ${table.length}_ | ${table.length} | ${passed} |`)
})
