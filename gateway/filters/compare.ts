// Asks the other side too and has the two answers compared, for a sample of the clients and safe methods alone.
// The danger it guards against: a second request that changes something, or that the client waits for.
import { type Static, Type } from 'typebox'
import { parseJsonPath } from '../comparing/jsonPath.ts'
import { basisPoints, Duration, durationMs, Rate, ratePerSecond, Share } from '../config/schema.ts'
import { type Configuring, filterKind } from '../filter.ts'
import { fieldsOf, type Names, namesOf, without } from '../message/fields.ts'
import type { Answer, CompareSettings, Exchange, Leg, LegKind, Move, Next, Services } from '../model.ts'
import { bucketOf } from '../rollout/bucket.ts'
import { identityOf } from '../rollout/identity.ts'

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
    context.warn(['compare'], compareWarning)
    const chooser = { move, settings: settingsOf(compare), stripped: strippedNames(compare) }
    return {
      does: `compares ${compare.sample} of the clients' answers, by ${compare.by}`,
      bind(services) {
        const legOf = createLegs(chooser, services)
        return async function compare(exchange, next) {
          const leg = legOf(exchange, next)
          if (!leg || !services.comparisons.admits(leg)) return next(exchange)
          const answer = await next(exchange)
          return isComparable(answer) ? services.comparisons.make(leg, answer) : answer
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

/** What a client says of these is not for the other side: it is told by us. */
function strippedNames({ strip }: CompareKeys): Names {
  return namesOf(['shadow', 'banyan-role', ...strip.map((name) => name.toLowerCase())])
}

interface Chooser {
  readonly move: Move
  readonly settings: CompareSettings
  readonly stripped: Names
}

/** The second request that belongs to a first one, if any does. */
function createLegs({ move, settings, stripped }: Chooser, { rollouts }: Services) {
  const { from, to, rollout } = move

  function kindOf(exchange: Exchange, identity: string): LegKind | undefined {
    const { stage } = rollouts.standing(rollout)
    const draw = bucketOf(rollouts.splitKey(), `compare ${rollout.key}`, identity)
    const isOld = exchange.upstream === from
    if (stage === 'live') return !isOld && draw < settings.reverseBasisPoints ? 'reverse' : undefined
    if (!isOld || (stage !== 'shadow' && stage !== 'canary')) return undefined
    if (draw < settings.noiseBasisPoints) return 'noise'
    return draw < settings.noiseBasisPoints + settings.sampleBasisPoints ? 'shadow' : undefined
  }

  return function legOf(exchange: Exchange, next: Next): Leg | undefined {
    if (!isRepeatable(exchange)) return undefined
    const identity = (rollout.stickyBy && identityOf(exchange, rollout.stickyBy)) ?? exchange.client.address
    const kind = kindOf(exchange, identity)
    if (!kind) return undefined
    const { loginCookie } = rollout
    const asked = besides(exchange, kind === 'shadow' ? to : from, { kind, stripped })
    return { kind, settings, exchange: asked, next, identity, ...(loginCookie !== undefined && { loginCookie }) }
  }
}

/** Safe, whole, and not about what the client has stored already: the other side's validators and ranges are others. */
function isRepeatable({ method, body, upgrade, fields, role }: Exchange): boolean {
  if (role !== 'primary' || body !== undefined || upgrade !== undefined) return false
  return (method === 'GET' || method === 'HEAD') && !conditions.some((name) => fields.has(name))
}

const conditions = ['if-none-match', 'if-modified-since', 'if-match', 'if-unmodified-since', 'if-range', 'range']

function besides(
  exchange: Exchange,
  upstream: Exchange['upstream'],
  { kind, stripped }: { kind: LegKind; stripped: Names },
): Exchange {
  const { connection: _own, ...client } = exchange.client
  const fields = without(exchange.fields, stripped)
  fields.push('Shadow', '?1', 'Banyan-Role', kind)
  const role = kind === 'noise' ? 'noise' : 'shadow'
  return { ...exchange, upstream, role, client, fields: fieldsOf(fields), inform: () => {} }
}

/** Streams of events have no end that could be compared. */
function isComparable({ by, tunnel, fields }: Answer): boolean {
  return by === 'upstream' && !tunnel && !fields.get('content-type')?.startsWith('text/event-stream')
}
