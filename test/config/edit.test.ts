import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { editStanding, type Standing } from '../../gateway/config/edit.ts'

const repository = readFileSync(join(import.meta.dirname, '../../routes.yaml'), 'utf8')
const canary = (rollout: string, share = '10%'): Standing => ({ rollout, stage: 'canary', share })
const legacy = (rollout: string): Standing => ({ rollout, stage: 'legacy' })

function textOf(text: string, standing: Standing): string {
  const edited = editStanding(text, standing)
  if ('problem' in edited) throw new Error(edited.problem)
  return edited.text
}

function problemOf(text: string, standing: Standing): string {
  const edited = editStanding(text, standing)
  return 'problem' in edited ? edited.problem : `edited: ${edited.text}`
}

function expectEdit(before: string, standing: Standing, after: string): void {
  expect(textOf(before, standing)).toBe(after)
}

const block = (move: string) => `routes:\n  - name: a\n    move:\n${move}`
const flow = (move: string) => `routes:\n  - { name: a, move: ${move} }\n`

describe('the routes.yaml of the repository', () => {
  for (const rollout of ['search', 'summary']) {
    test(`${rollout} goes to 10%, to live and back to the same bytes`, () => {
      const step = textOf(repository, canary(rollout))
      const live = textOf(step, { rollout, stage: 'live' })
      expect(textOf(live, legacy(rollout))).toBe(repository)
      expect(textOf(step, legacy(rollout))).toBe(repository)
      const [at, next] = [parse(step), parse(live)].map(({ routes }) =>
        routes.find(({ name }: { name: string }) => name === rollout),
      )
      expect([at.move.stage, at.move.share]).toEqual(['canary', '10%'])
      expect([next.move.stage, next.move.share]).toEqual(['live', undefined])
    })
  }

  test('loses no character but the word that changes', () => {
    expectEdit(
      repository,
      { rollout: 'search', stage: 'live' },
      repository.replace('stage: legacy # who', 'stage: live # who'),
    )
  })

  test('is left alone when it says so already', () => expectEdit(repository, legacy('search'), repository))
})

describe('a missing key', () => {
  test('goes below the one that it belongs to, with its indentation, behind its comment', () => {
    expectEdit(
      block('        to: b # there\n        stage: legacy   # not yet\n        # more\n        guard: {}\n'),
      canary('a'),
      block(
        '        to: b # there\n        stage: canary   # not yet\n        share: 10%\n        # more\n        guard: {}\n',
      ),
    )
  })

  test('is the stage, below `to`', () => {
    expectEdit(
      block('     guard: {}\n     to: b\n     from: c\n'),
      canary('a'),
      block('     guard: {}\n     to: b\n     stage: canary\n     share: 10%\n     from: c\n'),
    )
  })

  test('comes first where there is no `to`, as in a group', () => {
    expectEdit(
      'groups:\n  g:\n    # sticky\n    stickyBy:\n      cookie: S\n',
      canary('g'),
      'groups:\n  g:\n    # sticky\n    stage: canary\n    share: 10%\n    stickyBy:\n      cookie: S\n',
    )
    expectEdit('groups: { g: {} }', canary('g'), 'groups: { g: { stage: canary, share: 10% } }')
    expectEdit('groups: {g: {share: 5%}}', canary('g'), 'groups: {g: {stage: canary, share: 10%}}')
    expectEdit('groups:\n  g:\n    share: 5%', legacy('g'), 'groups:\n  g:\n    stage: legacy')
  })

  test('does not add a line break to the end of a file without one', () => {
    expectEdit(
      block('      to: b\n      stage: legacy'),
      canary('a'),
      block('      to: b\n      stage: canary\n      share: 10%'),
    )
  })

  test('wears the quotes of its neighbours', () => {
    expectEdit(flow(`{"to":"b","stage":"legacy"}`), canary('a'), flow(`{"to":"b","stage":"canary","share":"10%"}`))
    expectEdit(
      block(`      to: 'b'\n`),
      canary('a'),
      block(`      to: 'b'\n      stage: 'canary'\n      share: '10%'\n`),
    )
  })

  test('breaks its line as the file does', () => {
    const [before, after] = ['      to: b\n      stage: legacy', '      to: b\n      stage: canary\n      share: 10%']
    const inWindows = (move: string) => `\uFEFF${block(move)}`.replaceAll('\n', '\r\n')
    expectEdit(inWindows(before), canary('a'), inWindows(after))
    expectEdit(inWindows(`${before}\n`), canary('a'), inWindows(`${after}\n`))
    expectEdit(inWindows(after), legacy('a'), inWindows(before))
  })
})

describe('a share that goes', () => {
  test('takes its line with it, and leaves its comment', () => {
    expectEdit(
      block('      to: b\n      share: 5%\n      stage: canary\n'),
      legacy('a'),
      block('      to: b\n      stage: legacy\n'),
    )
    expectEdit(
      block('      share: 5% # asked for by Ann\n      stage: canary # one\n'),
      legacy('a'),
      block('      # asked for by Ann\n      stage: legacy # one\n'),
    )
  })

  test('takes one comma with it', () => {
    expectEdit(flow('{ to: b, stage: canary, share: 5% }'), legacy('a'), flow('{ to: b, stage: legacy }'))
    expectEdit(flow('{ share: 5%, stage: canary, to: b }'), legacy('a'), flow('{ stage: legacy, to: b }'))
    expectEdit(flow('{stage: canary,share: 5%,}'), legacy('a'), flow('{stage: legacy,}'))
    expectEdit(flow('{"stage":"canary","share":"5%","to":"b"}'), legacy('a'), flow('{"stage":"legacy","to":"b"}'))
  })

  test('leaves the comments between the lines of braces', () => {
    expectEdit(
      flow('{ to: b, # new\n    stage: canary, # one\n    share: 5%, # two\n    from: c }'),
      legacy('a'),
      flow('{ to: b, # new\n    stage: legacy, # one\n    # two\n    from: c }'),
    )
    expectEdit(
      flow('{ stage: canary # one\n    , share: 5% # two\n    }'),
      legacy('a'),
      flow('{ stage: legacy # one\n    ,  # two\n    }'),
    )
  })

  test('is not missed where there is none', () => {
    expectEdit(flow('{ to: b, stage: live }'), legacy('a'), flow('{ to: b, stage: legacy }'))
  })
})

describe('the move that is meant', () => {
  const file = [
    'groups:',
    '  shop: { stage: legacy }',
    '  a: { stage: legacy }',
    'routes:',
    '  - { name: new, was: old, move: { to: b, stage: legacy } }',
    '  - { name: other, was: gone, move: { to: b, stage: legacy } }',
    '  - { name: gone, was: before, move: { to: b, stage: live } }',
    '  - { name: in, group: shop, move: { to: b } }',
    '  - { name: a, group: a, move: { to: b } }',
    '  - { name: stays, upstream: b }',
    '',
  ].join('\n')
  const lines = (text: string) => text.split('\n').flatMap((line, i) => (line === file.split('\n')[i] ? [] : i))

  test('is found by what the route was, by what it is, or as a group', () => {
    expect(lines(textOf(file, canary('old')))).toEqual([4])
    expect(lines(textOf(file, canary('new')))).toEqual([4])
    expect(lines(textOf(file, canary('shop')))).toEqual([1])
  })

  test('is that of the route which was called so, not of the one that is', () => {
    expect(lines(textOf(file, canary('gone')))).toEqual([5])
    expect(lines(textOf(file, canary('before')))).toEqual([6])
  })

  test('is that of the group for a route of the same name inside it', () => {
    expect(lines(textOf(file, canary('a')))).toEqual([2])
  })

  test('is named when it is another one, or none', () => {
    expect(problemOf(file, canary('in'))).toBe(
      'route "in" has no stage of its own; name its group "shop", with which it moves',
    )
    expect(problemOf(file, canary('stays'))).toBe('route "stays" does not move; give it a "move" first')
    expect(problemOf(file, canary('shpo'))).toBe('no route and no group is called "shpo"; did you mean "shop"?')
    expect(problemOf('x: 1', canary('a'))).toBe('no route and no group is called "a"; name one that the file has')
    expect(problemOf(file.replace('was: before, ', ''), canary('gone'))).toBe(
      'more than one move is called "gone"; give each a name of its own',
    )
  })
})

describe('what is not edited, because it would change more than was asked or cannot be told', () => {
  const byHand = 'set "stage: canary" and "share: 10%" by hand'
  const anchored = (move: string) => `x:\n  m: &m { to: b, stage: legacy }\n  s: &s legacy\n  p: &p 5%\n${flow(move)}`
  const cases: Record<string, [text: string, problem: string]> = {
    'an alias of a move': [
      anchored('*m'),
      `route "a" stands in the alias "*m", which is shared with another place; ${byHand}`,
    ],
    'a route that is an alias': [
      'x: &r { name: a, move: { to: b } }\nroutes: [*r]\n',
      `route "a" stands in the alias "*r", which is shared with another place; ${byHand}`,
    ],
    'an alias of a stage': [
      anchored('{ to: b, stage: *s }'),
      `the stage of route "a" is the alias "*s", which is shared with another place; ${byHand}`,
    ],
    'an alias of a share': [
      anchored('{ to: b, stage: legacy, share: *p }'),
      `the share of route "a" is the alias "*p", which is shared with another place; ${byHand}`,
    ],
    'a stage by merge key': [
      anchored('{ <<: *m, to: c }'),
      `the stage of route "a" comes through a merge key "<<"; ${byHand}`,
    ],
    'a whole move by merge key': [
      'x: &x\n  move: { to: b, stage: legacy }\nroutes:\n  - name: a\n    <<: *x\n',
      `route "a" gets its "move" through a merge key "<<"; ${byHand}`,
    ],
    'an anchored move that others use': [
      'routes:\n  - { name: a, move: &m { to: b, stage: legacy } }\n  - { name: c, move: *m }\n',
      `route "a" cannot be edited without changing more than its stage and share, for the anchor "&m" stands on it; ${byHand}`,
    ],
    'an anchored stage that others use': [
      'routes:\n  - { name: a, move: { stage: &s legacy } }\n  - { name: c, move: { stage: *s } }\n',
      `route "a" cannot be edited without changing more than its stage and share, for the anchor "&s" stands on it; ${byHand}`,
    ],
    'an anchored route that another merges': [
      'routes:\n  - &r { name: a, move: { to: b } }\n  - { <<: *r, name: c }\n',
      `route "a" cannot be edited without changing more than its stage and share, for the anchor "&r" stands on it; ${byHand}`,
    ],
    'a stage of the environment': [
      block(`      stage: $\{STAGE:-legacy}\n`),
      `the stage of route "a" comes from the environment; ${byHand}`,
    ],
    'a share of the environment': [
      flow(`{ stage: legacy, share: "$\{SHARE}" }`),
      `the share of route "a" comes from the environment; ${byHand}`,
    ],
    'a stage without value': [
      block('      stage:\n      to: b\n'),
      `the stage of route "a" is not one word; ${byHand}`,
    ],
    'a stage as a block of text': [
      block('      stage: |-\n        legacy\n'),
      `the stage of route "a" is not one word; ${byHand}`,
    ],
    'a stage written twice': [
      block('      stage: legacy\n      stage: live\n'),
      'the key "stage" is written again in line 5; remove one of them first',
    ],
    'a move that is no mapping': [flow('b'), `route "a" has no mapping for its stage; ${byHand}`],
    'a key with a question mark': [
      block('      ? to\n      : b\n'),
      `route "a" cannot be edited without changing more than its stage and share; ${byHand}`,
    ],
    'a broken file': ['routes:\n\t- x', 'line 2: a tab indents this line; YAML takes spaces only; mend the file first'],
    'a file that is no text': [
      `# \uFFFD\n${flow('{}')}`,
      'line 1: this is no UTF-8 text; save the file as UTF-8; mend the file first',
    ],
    'two documents': [
      `${flow('{}')}---\n${flow('{}')}`,
      'line 3: a second document begins here; remove this "---" and keep one; mend the file first',
    ],
  }
  for (const [what, [text, problem]] of Object.entries(cases)) {
    test(what, () => expect(problemOf(text, canary('a'))).toBe(problem))
  }

  test('a share that goes, from the environment or over two lines', () => {
    const remedy = 'set "stage: legacy" and remove "share" by hand'
    expect(problemOf(flow(`{ share: "$\{S}" }`), legacy('a'))).toBe(
      `the share of route "a" comes from the environment; ${remedy}`,
    )
    expect(problemOf(block('      share: # tenth\n        10%\n'), legacy('a'))).toBe(
      `the share of route "a" does not stand in a line of its own; ${remedy}`,
    )
  })

  test('a file nested too deeply', () => {
    expect(problemOf(`x: ${'['.repeat(20_000)}`, canary('a'))).toContain('mend the file first')
  })

  test('a share that is no share', () => {
    expect(problemOf(flow('{ stage: legacy }'), canary('a', '5%, to: c'))).toContain('cannot be edited')
    expect(problemOf(flow('{ stage: legacy }'), canary('a', '5% }'))).toContain('cannot be edited')
  })
})

describe('what looks shared and is not', () => {
  test('an anchor that nobody uses, or whose users say it themselves', () => {
    expectEdit(flow('&m { to: b, stage: &s legacy }'), canary('a'), flow('&m { to: b, stage: &s canary, share: 10% }'))
    const own = '  - { name: c, move: { <<: *m, stage: live, share: 1% } }\n'
    expectEdit(
      `${flow('&m { to: b, stage: legacy }')}${own}`,
      canary('a'),
      `${flow('&m { to: b, stage: canary, share: 10% }')}${own}`,
    )
  })

  test('a merge key that brings neither stage nor share', () => {
    const base = 'x: &x { to: b }\n'
    expectEdit(`${base}${flow('{ <<: *x }')}`, canary('a'), `${base}${flow('{ stage: canary, share: 10%, <<: *x }')}`)
  })
})
