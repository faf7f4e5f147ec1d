import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { editStanding } from '../../gateway/config/edit.ts'
import { unifiedPatch } from '../../gateway/config/patch.ts'

const folder = mkdtempSync(join(tmpdir(), 'banyan-patch-'))
afterAll(() => rmSync(folder, { recursive: true }))

const patch = ['patch', '-p0', '--batch', '--fuzz=0', '--no-backup-if-mismatch']
const gitApply = ['git', 'apply', '-p0', '--whitespace=nowarn']

/** What the tool makes of the file. */
function apply([tool = '', ...args]: readonly string[], name: string, before: string, after: string): string {
  writeFileSync(join(folder, name), before)
  const { status, stdout, stderr } = spawnSync(tool, args, {
    cwd: folder,
    input: unifiedPatch(name, before, after),
    encoding: 'utf8',
    // Not inside whatever repository the temporary folder may lie in.
    env: { ...process.env, GIT_CEILING_DIRECTORIES: tmpdir() },
  })
  if (status !== 0) throw new Error(`${tool} ended with ${status}: ${stdout}${stderr}`)
  // It would say so if it had to move or bend a hunk.
  expect(stdout + stderr).not.toMatch(/offset|fuzz|Stripping/)
  return readFileSync(join(folder, name), 'utf8')
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => `line ${i + 1}\n`)

describe('an edit as a patch', () => {
  test('shows the change with three lines around it', () => {
    const before = numbers(20)
    expect(unifiedPatch('routes.yaml', before.join(''), before.with(9, 'new 10\nnew 11\n').join(''))).toBe(
      [
        '--- routes.yaml',
        '+++ routes.yaml',
        '@@ -7,7 +7,8 @@',
        ' line 7',
        ' line 8',
        ' line 9',
        '-line 10',
        '+new 10',
        '+new 11',
        ' line 11',
        ' line 12',
        ' line 13',
        '',
      ].join('\n'),
    )
  })

  test('has one hunk for changes whose contexts touch, and two for others', () => {
    const before = numbers(30)
    const hunks = (second: number) =>
      unifiedPatch('f', before.join(''), before.with(9, 'x\n').with(second, 'y\n').join('')).match(/^@@.*@@$/gm)
    expect(hunks(16)).toEqual(['@@ -7,14 +7,14 @@'])
    expect(hunks(17)).toEqual(['@@ -7,7 +7,7 @@', '@@ -15,7 +15,7 @@'])
  })

  test('is nothing when nothing changes', () => expect(unifiedPatch('f', 'a\n', 'a\n')).toBe(''))

  test('says where the last line has no break', () => {
    expect(unifiedPatch('f', 'a\nb', 'a\nc\n')).toBe(
      '--- f\n+++ f\n@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+c\n',
    )
  })

  test('names the line before what was empty', () => {
    expect(unifiedPatch('f', '', 'a\n')).toBe('--- f\n+++ f\n@@ -0,0 +1,1 @@\n+a\n')
    expect(unifiedPatch('f', 'a\n', '')).toBe('--- f\n+++ f\n@@ -1,1 +0,0 @@\n-a\n')
  })

  const repository = readFileSync(join(import.meta.dirname, '../../routes.yaml'), 'utf8')
  for (const tool of [patch, gitApply]) {
    test(`of the repository's routes.yaml is taken by ${tool[0]}`, () => {
      for (const text of [repository, repository.trimEnd(), repository.replaceAll('\n', '\r\n')]) {
        const edited = editStanding(text, { rollout: 'search', stage: 'canary', share: '10%' })
        const after = 'text' in edited ? edited.text : ''
        expect(apply(tool, 'routes.yaml', text, after)).toBe(after)
        expect(apply(tool, 'our routes.yaml', after, text)).toBe(text)
      }
    })

    test(`of any texts is taken by ${tool[0]}`, () => {
      const line = fc.constantFrom('a', 'b', '', ' c', '-', '+ d', '\\ No newline', 'ü 🌳', '@@ -1,1 +1,1 @@', '-- x')
      const text = fc
        .tuple(fc.array(line, { minLength: 1, maxLength: 14 }), fc.constantFrom('\n', '\r\n'), fc.boolean())
        .map(([lines, lineBreak, isBroken]) => lines.join(lineBreak) + (isBroken ? lineBreak : 'end'))
      fc.assert(
        fc.property(text, text, (before, after) => {
          fc.pre(before !== after)
          expect(apply(tool, 'file', before, after)).toBe(after)
        }),
        { numRuns: 60 },
      )
    })
  }
})
