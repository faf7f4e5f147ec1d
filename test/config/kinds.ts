// Filter kinds that exist for the tests of the loader: one section at each place, and every way to report a mistake.
import { Type } from 'typebox'
import { type FilterKind, filterKind } from '../../gateway/filter.ts'
import { filters } from '../../gateway/filters.ts'

const greet = filterKind({
  name: 'greet',
  sections: {
    greet: {
      at: 'route',
      schema: Type.Object(
        {
          words: Type.Array(Type.String(), { minItems: 1, maxItems: 2, description: 'What to say.' }),
          times: Type.Integer({ minimum: 1, maximum: 3, default: 1, description: 'How often.' }),
        },
        { description: 'Greets.' },
      ),
    },
    tempo: { at: 'top', schema: Type.Number({ description: 'How fast all greet.' }) },
  },
  configure({ greet, tempo }, { problem, warn }) {
    if (greet?.words.includes('damn')) problem(['greet', 'words', greet.words.indexOf('damn')], 'greet politely')
    if (greet && greet.times > 2) warn(['greet', 'times'], 'three greetings are many')
    if (tempo !== undefined && tempo > 9) problem(['tempo'], 'tempo must be at most 9')
    const does =
      greet && `says ${greet.words.join(' ')} ${greet.times}×${tempo === undefined ? '' : ` at tempo ${tempo}`}`
    return does === undefined ? undefined : { does, bind: () => (exchange, next) => next(exchange) }
  },
})

const carry = filterKind({
  name: 'carry',
  sections: {
    carry: {
      at: 'move',
      schema: Type.Union(
        [
          Type.Literal('none'),
          Type.Object({ by: Type.String({ description: 'Who carries.' }) }, { description: 'Carried.' }),
        ],
        { description: 'How the move is carried.' },
      ),
    },
    weight: { at: 'upstream', schema: Type.Integer({ minimum: 0, maximum: 100, description: 'Its weight.' }) },
  },
  configure({ carry, weight }, { route, problem }) {
    if (typeof carry === 'object' && carry.by === route.name)
      problem(['carry', 'by'], `"${carry.by}" cannot carry itself`)
    if (carry === undefined && weight === undefined) return undefined
    return {
      does: `carried by ${typeof carry === 'object' ? carry.by : 'none'}, weight ${weight ?? 0}`,
      bind: () => (exchange, next) => next(exchange),
    }
  },
})

export const kinds: readonly FilterKind[] = [...filters, greet, carry]
