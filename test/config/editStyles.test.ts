import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Lexer, parse } from 'yaml'
import { editStanding } from '../../gateway/config/edit.ts'
import type { Stage } from '../../gateway/model.ts'

/** How somebody may write the same file. */
interface Style {
  readonly indent: number
  readonly isListIndented: boolean
  readonly isFlow: boolean
  readonly isTight: boolean
  readonly keyQuote: string
  readonly quote: string
  readonly comments: readonly string[]
  readonly lineBreak: string
  readonly isBroken: boolean
  readonly mark: string
  readonly from: 'first' | 'last' | 'none'
  readonly nested: 'first' | 'last' | 'none'
}

const styles: fc.Arbitrary<Style> = fc.record({
  indent: fc.integer({ min: 1, max: 6 }),
  isListIndented: fc.boolean(),
  isFlow: fc.boolean(),
  isTight: fc.boolean(),
  keyQuote: fc.constantFrom('', '"', "'"),
  quote: fc.constantFrom('', '"', "'"),
  comments: fc.array(fc.constantFrom('', '', ' # plain', '   # stage: live, share: 1%', ' #ü 漢字 🌳'), {
    maxLength: 12,
  }),
  lineBreak: fc.constantFrom('\n', '\r\n'),
  isBroken: fc.boolean(),
  mark: fc.constantFrom('', '\uFEFF'),
  from: fc.constantFrom('first', 'last', 'none'),
  nested: fc.constantFrom('first', 'last', 'none'),
})

interface Standing {
  readonly stage: Stage
  readonly share: string | undefined
}

const standings: fc.Arbitrary<Standing> = fc.record({
  stage: fc.constantFrom<Stage>('legacy', 'shadow', 'canary', 'live', 'final'),
  share: fc.option(fc.constantFrom('1%', '10%', '0.5%', '100%'), { nil: undefined }),
})

type Pairs = readonly (readonly [key: string, value: string])[]

function pairsOf(style: Style, { stage, share }: Standing): Pairs {
  const { from, nested, quote } = style
  const word = (text: string) => `${quote}${text}${quote}`
  const some = <T>(is: boolean, pair: T) => (is ? [pair] : [])
  const extra = ['guard', style.isTight && style.keyQuote ? '{"window":"30s"}' : '{ window: 30s }'] as const
  return [
    ...some(nested === 'first', extra),
    ...some(from === 'first', ['from', word('old')] as const),
    ['to', word('new')],
    ['stage', word(stage)],
    ...some(share !== undefined, ['share', word(share ?? '')] as const),
    ...some(from === 'last', ['from', word('old')] as const),
    ...some(nested === 'last', extra),
  ]
}

/** A mapping below `head`, in its own lines or in braces; every line but that of a share may have a comment. */
function mapping(style: Style, head: string, pairs: Pairs): string[] {
  const { keyQuote, comments } = style
  const isTight = style.isTight && keyQuote !== ''
  const words = pairs.map(
    ([key, value]) => `${keyQuote}${key}${keyQuote}${isTight && style.isFlow ? ':' : ': '}${value}`,
  )
  if (style.isFlow)
    return [`${head} ${isTight ? `{${words.join(',')}}` : `{ ${words.join(', ')} }`}${comments[0] ?? ''}`]
  const column = ' '.repeat(/^[ -]*/.exec(head)?.[0].length ?? 0) + ' '.repeat(style.indent)
  const named = words.map((line, i) => ({ line: `${column}${line}`, key: pairs[i]?.[0] ?? '' }))
  const keys = ['guard', 'from', 'to', 'stage']
  return [head, ...named.map(({ line, key }) => line + (comments[keys.indexOf(key)] ?? ''))]
}

function render(style: Style, rollout: 'aRoute' | 'aGroup', standing: Standing): string {
  const other: Standing = { stage: 'canary', share: '7%' }
  const at = (name: string) => (name === rollout ? standing : other)
  const column = ' '.repeat(style.indent)
  const item = style.isListIndented ? column : ''
  const route = (name: string) => [
    `${item}- name: ${name}${style.comments[5] ?? ''}`,
    ...mapping(style, `${item}  move:`, pairsOf(style, at(name))),
    style.comments[6] ?? '',
  ]
  const group = (name: string) => mapping(style, `${column}${name}:`, pairsOf(style, at(name)))
  const groups = ['groups:', ...group('before'), ...group('aGroup')]
  const lines = ['# a file', ...groups, '', 'routes:', ...route('one'), ...route('aRoute')]
  const text = lines.map((line) => line.trimEnd()).join(style.lineBreak)
  return style.mark + (style.isBroken ? text + style.lineBreak : text)
}

describe('in whatever style the file is written', () => {
  const inputs = fc.record({
    style: styles,
    before: standings,
    after: standings,
    rollout: fc.constantFrom('aRoute', 'aGroup'),
  })

  test('the edited file is the one that its author would have written', () => {
    fc.assert(
      fc.property(inputs, ({ style, before, after, rollout }) => {
        const text = render(style, rollout, before)
        expect(editStanding(text, { rollout, ...after })).toEqual({ text: render(style, rollout, after) })
      }),
      { numRuns: 400 },
    )
  })

  test('an edit and the edit back leave the same bytes', () => {
    fc.assert(
      fc.property(inputs, ({ style, before, after, rollout }) => {
        const text = render(style, rollout, before)
        const there = editStanding(text, { rollout, ...after })
        expect('text' in there && editStanding(there.text, { rollout, ...before })).toEqual({ text })
      }),
      { numRuns: 100 },
    )
  })
})

/** Ways to write a move that nobody should, and some do. */
const oddities = [
  ...['{ to: b, stage: legacy }', '&m { to: b, stage: legacy }', '*m', '{ <<: *m }', '{ <<: *m, stage: live }', '{}'],
  ...['{ <<: [*m, { share: 5% }], to: c }', '{ to: b, stage: &s legacy, share: &p 5% }', '{ stage: *s, share: *p }'],
  ...[
    '{ to: b, share: *p }',
    '{ stage: !!str legacy, "share": \'5%\', }',
    '{ to: b, # c\n      stage: legacy # d\n    }',
  ],
  ...['{ share: 5%, # c\n      to: b }', '{ to: b # c\n      , share: 5% # d\n    }', '{ stage, to: b }', '{ share: }'],
  ...['\n      to: b\n      stage: legacy # d\n      share: 5% # e', '\n      share: 5%\n      # c\n      to: b'],
  ...[
    '\n      to: >-\n        b\n      from: c',
    '\n      ? to\n      : b',
    '\n      stage: "leg\\\n        acy"\n      to: b',
  ],
  ...[
    '\n      &k to: b',
    '\n      <<: *m\n      from: c',
    '\n      to: b\n      share:\n        5%',
    '\n      stage:\n      to: b',
  ],
  ...[
    '&n\n      to: b\n      stage: legacy',
    '!!map\n      to: b',
    '\n      share: |\n        5%\n      to: b',
    'null',
    '[]',
  ],
  ...[
    '\n      guard:\n        window: 30s\n      # tail\n    # less',
    '\n\n      to:   b\n\n      stage:   "legacy"\n',
  ],
]

describe('however odd the file is', () => {
  const moves = fc.array(fc.constantFrom(...oddities), { minLength: 1, maxLength: 4 })

  test('an edit changes one stage and one share, and loses no comment; or it is refused', () => {
    const outcomes = { edited: 0, refused: 0 }
    const check = (parts: readonly string[], nth: number, after: Standing) => {
      const text = parts.join('')
      const edited = editStanding(text, { rollout: `r${nth}`, ...after })
      outcomes['text' in edited ? 'edited' : 'refused']++
      if (!('text' in edited)) return
      expect(spoken(edited.text)).toEqual(meant(spoken(text), nth, after))
      expect(commentsOf(edited.text)).toEqual(commentsOf(text))
      expect(breaksOf(edited.text)).toEqual(breaksOf(text))
      expect(edited.text.startsWith(parts.slice(0, nth + 1).join(''))).toBe(true)
      expect(edited.text.endsWith(parts.slice(nth + 2).join(''))).toBe(true)
    }
    fc.assert(
      fc.property(moves, fc.nat(3), standings, fc.constantFrom('\n', '\r\n'), (odd, nth, after, lineBreak) => {
        const head = 'x: [&m { from: d }, &s canary, &p 9%]\nroutes:\n'
        const routes = odd.map((move, i) => `  - name: r${i} # ${i}\n    move: ${move}\n`)
        const parts = [head, ...routes, '# end\n'].map((part) => part.replaceAll('\n', lineBreak))
        check(parts, nth % odd.length, after)
      }),
      { numRuns: 400 },
    )
    expect(Math.min(outcomes.edited, outcomes.refused)).toBeGreaterThan(80)
  })
})

interface Routes {
  readonly routes: { move: Record<string, unknown> }[]
}

/** As the library has it, which is not how the edit checks itself. */
function spoken(text: string): Routes {
  return JSON.parse(JSON.stringify(parse(text, { merge: true, uniqueKeys: false })))
}

function meant({ routes, ...rest }: Routes, i: number, { stage, share }: Standing): Routes {
  const changed = routes.map((route, j) => {
    if (i !== j) return route
    const { share: _, ...move } = route.move
    return { ...route, move: { ...move, stage, ...(share !== undefined && { share }) } }
  })
  return { ...rest, routes: changed }
}

function commentsOf(text: string): string[] {
  return [...new Lexer().lex(text)].filter((lexeme) => lexeme.startsWith('#'))
}

function breaksOf(text: string): Set<string> {
  return new Set(text.match(/\r?\n/g))
}
