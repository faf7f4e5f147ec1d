// Asks the other side too and has the two answers compared, for a sample of the clients: safe methods, and writes where the file
// says so and the candidate has said that it suppresses them.
// The danger it guards against: a second request that changes something, or that the client waits for.
import { type Static, Type } from 'typebox'
import { parseJsonPath } from '../comparing/jsonPath.ts'
import { basisPoints, Duration, durationMs, Rate, ratePerSecond, Share } from '../config/schema.ts'
import { type Configuring, filterKind } from '../filter.ts'
import { isEventStream } from '../message/eventStream.ts'
import { namesOf } from '../message/fields.ts'
import type { Answer, CompareSettings } from '../model.ts'
import { createLegs } from '../rollout/legs.ts'

const fieldNames = (description: string, defaults: string[]) =>
  Type.Array(
    Type.String({
      title: 'a field name such as x-origin',
      pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$",
      description: 'A field name.',
    }),
    {
      default: defaults,
      description,
    },
  )
const jsonPaths = (description: string) =>
  Type.Array(Type.String({ description: 'A JSON path such as $.items[*].id.' }), { default: [], description })

const schema = Type.Object(
  {
    sample: Share({
      default: '10%',
      description: 'The share of clients whose requests are compared, whole sessions at a time.',
    }),
    by: Type.Enum(['status', 'shape', 'body'], {
      default: 'body',
      description: 'What is compared: the status alone, what JSON is made of, or all of it.',
    }),
    fields: fieldNames("The answer's fields that are compared.", ['content-type', 'location']),
    ignore: jsonPaths('JSON paths that may differ; such differences are counted, no more.'),
    unordered: jsonPaths('JSON paths of lists whose order means nothing.'),
    atMost: Rate({
      default: '20/s',
      description: 'The most requests of this kind; those beyond are not compared, and counted.',
    }),
    timeout: Duration({ default: '5s', description: 'The longest that such a request may take.' }),
    strip: fieldNames("Fields of the client's request that must not reach the candidate.", []),
    noise: Share({
      default: '0%',
      description:
        'The share of clients for whom the old side is asked twice, to learn how much it differs from itself.',
    }),
    reverse: Share({
      default: '0%',
      description: 'The share of clients for whom the old side is asked too in live, as a control.',
    }),
    writes: Type.Optional(
      Type.Object(
        {
          probe: Type.String({
            title: 'a path such as /shadow-safe',
            pattern: '^/[\\x21-\\x22\\x24-\\x7e]*$',
            description:
              'A path of the candidate; only while it answers a GET of it with 2xx and `Shadow-Safe: ?1` are writes made twice.',
          }),
        },
        {
          additionalProperties: false,
          description:
            'Compares writes too (POST, PUT, PATCH, DELETE with bodies up to 64KiB), at a candidate that takes `Shadow: ?1` for an order to change nothing.',
        },
      ),
    ),
  },
  {
    additionalProperties: false,
    description: 'Asks the other side too and compares the answers; never in the way of the client.',
  },
)

export const compare = filterKind({
  name: 'compare',
  sections: { compare: { at: 'move', schema } },
  configure({ compare }, context) {
    const { move } = context.route
    if (!compare || !move) return undefined
    checkPaths(compare, context)
    checkStrip(compare, context)
    context.warn(['compare'], compareWarning)
    const strip = compare.strip.map((name) => name.toLowerCase())
    const probe = compare.writes && { probe: compare.writes.probe }
    const rules = { move, settings: settingsOf(compare), strip, ...probe }
    return {
      does: `compares ${compare.sample} of the clients' answers, by ${compare.by}${probe ? '; writes too' : ''}`,
      bind({ rollouts, comparisons }) {
        const legOf = createLegs(rules, rollouts)
        return async function compare(exchange, next) {
          const leg = legOf(exchange, next)
          const admitted = leg && comparisons.admit(leg)
          if (!admitted) return next(exchange)
          const answer = await next(exchange).catch((thrown: unknown) => {
            admitted.drop()
            throw thrown
          })
          if (isComparable(answer)) return admitted.make(answer)
          admitted.drop()
          return answer
        }
      },
    }
  },
})

const compareWarning =
  'GET and HEAD requests are made twice: in an old application a GET may change something, and no gateway can tell; be sure that these do not'

type CompareKeys = Static<typeof schema>

function settingsOf({
  sample,
  noise,
  reverse,
  by,
  fields,
  ignore,
  unordered,
  atMost,
  timeout,
}: CompareKeys): CompareSettings {
  return {
    sampleBasisPoints: basisPoints(sample),
    noiseBasisPoints: basisPoints(noise),
    reverseBasisPoints: basisPoints(reverse),
    rules: { by, fields: fields.map((name) => name.toLowerCase()), ignore, unordered },
    atMostPerSecond: ratePerSecond(atMost),
    timeoutMs: durationMs(timeout),
  }
}

function checkPaths({ ignore, unordered }: CompareKeys, { problem }: Configuring): void {
  for (const [key, paths] of Object.entries({ ignore, unordered })) {
    for (const [i, text] of paths.entries()) {
      const path = parseJsonPath(text)
      if ('problem' in path) problem(['compare', key, i], path.problem)
    }
  }
}

/** What the gateway itself writes would be there all the same. */
function checkStrip({ strip }: CompareKeys, { problem }: Configuring): void {
  for (const [i, name] of strip.entries()) {
    if (written.has(name))
      problem(
        ['compare', 'strip', i],
        `"${name}" frames or addresses the request, or is written by the gateway, and cannot be kept from the candidate; remove it`,
      )
  }
}

const written = namesOf([
  ...['host', 'content-length', 'transfer-encoding', 'connection', 'upgrade', 'te', 'trailer'],
  ...['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'forwarded', 'via', 'x-request-id'],
  ...['shadow', 'banyan-role'],
])

/** Streams of events have no end that could be compared; and an answer in place of another is the other side's own. */
function isComparable({ by, tunnel, fields, fallback }: Answer): boolean {
  return by === 'upstream' && fallback === undefined && !tunnel && !isEventStream(fields.get('content-type'))
}
