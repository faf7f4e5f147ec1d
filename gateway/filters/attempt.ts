// Makes the request that fits the Upstream it goes to, has it forwarded, and reports how that ended: one Outcome per attempt.
// The danger it guards against: fields of one hop that leak into the next, and a rewrite that reaches the side that must not notice.
import { type Static, Type } from 'typebox'
import { asFailure } from '../errors.ts'
import { type Configuring, filterKind } from '../filter.ts'
import { namesOf, withField, without } from '../message/fields.ts'
import { withForwarding } from '../message/forwarded.ts'
import { endToEnd } from '../message/hopByHop.ts'
import { endedOutcome, failedOutcome } from '../message/outcome.ts'
import { editFields, type PathRewrite, pathRewriteOf, restoreAnswer, rewriteTarget } from '../message/rewrite.ts'
import type { Services } from '../model/ports.ts'
import type { Answer, Exchange, Upstream } from '../model.ts'

const fieldName = Type.String({
  title: 'a field name such as x-origin',
  pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$",
  description: 'A field name.',
})
const fieldEdits = (whose: string) =>
  Type.Object(
    {
      set: Type.Optional(
        Type.Record(fieldName, Type.String({ title: 'one line of text', pattern: '^[\\t\\x20-\\x7e\\x80-\\xff]*$' }), {
          description: `Fields of the ${whose} that are set to a value, replacing what was there.`,
        }),
      ),
      remove: Type.Optional(Type.Array(fieldName, { description: `Fields that are removed from the ${whose}.` })),
    },
    { additionalProperties: false, description: `Edits of the ${whose}'s fields.` },
  )

const rewriteSchema = Type.Object(
  {
    path: Type.Optional(
      Type.String({
        title: 'a path such as /v1/search, without query',
        pattern: '^/[\\x21-\\x22\\x24-\\x3e\\x40-\\x7e]*$',
        description:
          "The path at `to` that takes the place of the route's path (of the part before `/*`); may use the route's `:name` segments.",
      }),
    ),
    host: Type.Optional(
      Type.Union([Type.Literal('keep'), Type.Literal('target')], {
        default: 'keep',
        description: "The Host field: the client's own (keep), or the target's (target).",
      }),
    ),
    request: Type.Optional(fieldEdits('request')),
    answer: Type.Optional(fieldEdits('answer')),
  },
  {
    additionalProperties: false,
    description: 'Changes of requests to `to` and of its answers; never applied to the old side.',
  },
)

type RewriteSettings = Static<typeof rewriteSchema>

/** What frames and addresses a message is nobody's to set. */
const framing = new Set(['host', 'content-length', 'transfer-encoding', 'connection', 'upgrade', 'te', 'trailer'])

export const attempt = filterKind({
  name: 'attempt',
  sections: { rewrite: { at: 'move', schema: rewriteSchema } },
  configure({ rewrite }, context) {
    const { route } = context
    checkFraming(rewrite, context)
    const path = rewrite?.path === undefined ? undefined : pathRewriteOf(route.match.path, rewrite.path)
    if (typeof path === 'string') context.problem(['rewrite', 'path'], path)
    const fit = rewrite && typeof path !== 'string' ? { settings: rewrite, path } : undefined
    return {
      does: `asks ${route.upstream.name} at ${placesOf(route.upstream)}${describe(rewrite)}`,
      bind: (services) =>
        function attempt(exchange) {
          const isMoved = fit !== undefined && exchange.upstream.name === route.move?.to.name
          const asked = addressed(exchange)
          return isMoved ? rewritten(asked, fit, services) : forward(asked, services)
        },
    }
  },
})

function checkFraming(rewrite: RewriteSettings | undefined, context: Configuring): void {
  for (const side of ['request', 'answer'] as const) {
    const names = [...Object.keys(rewrite?.[side]?.set ?? {}), ...(rewrite?.[side]?.remove ?? [])]
    for (const name of names.filter((name) => framing.has(name.toLowerCase()))) {
      const remedy = name.toLowerCase() === 'host' ? 'use rewrite.host' : 'remove it'
      context.problem(['rewrite', side], `"${name}" frames or addresses the message and cannot be edited; ${remedy}`)
    }
  }
}

function placesOf({ targets, affinity }: Upstream): string {
  const origins = targets.map(({ origin }) => origin).join(', ')
  if (targets.length === 1) return origins
  if (!affinity) return `one of ${origins}: where less is under way`
  const bound = affinity.by === 'cookie' ? `the cookie ${affinity.name}` : "the client's address"
  return `one of ${origins}: by ${bound}, else where less is under way`
}

function describe(rewrite: RewriteSettings | undefined): string {
  if (!rewrite) return ''
  const parts = [
    rewrite.path === undefined ? [] : `path becomes ${rewrite.path}`,
    rewrite.host === 'target' ? 'Host becomes the target' : [],
    rewrite.request ? 'request fields are edited' : [],
    rewrite.answer ? 'answer fields are edited' : [],
  ].flat()
  return parts.length > 0 ? `; at the new side ${parts.join(', ')}` : ''
}

interface Fit {
  readonly settings: RewriteSettings
  readonly path: PathRewrite | undefined
}

async function rewritten(exchange: Exchange, fit: Fit, services: Services): Promise<Answer> {
  const { settings, path } = fit
  const { targets } = exchange.upstream
  const publicHost = exchange.fields.get('host') ?? ''
  let { fields } = exchange
  // What ends at this hop is taken off first: a client that names a field of ours in Connection must not take that off.
  if (settings.request) fields = editFields(endToEnd(fields), settings.request)
  const answer = await forward(
    { ...exchange, fields, target: path ? rewriteTarget(exchange, path) : exchange.target },
    services,
    settings.host,
  )
  const publicOrigin = `${exchange.client.tls ? 'https' : 'http'}://${publicHost}`
  const restored = path ? restoreAnswer(answer, path, { targets, publicOrigin }) : answer
  return settings.answer ? { ...restored, fields: editFields(restored.fields, settings.answer) } : restored
}

const hostName = namesOf(['host'])

/** @param host `target`: the client's is left out, and X-Forwarded-Host keeps it; whoever forwards knows which target is asked. */
function forward(exchange: Exchange, services: Services, host?: RewriteSettings['host']): Promise<Answer> {
  const { clock } = services
  const startedAt = clock.now()
  const told = withForwarding(endToEnd(exchange.fields), exchange)
  const sent = { ...exchange, fields: host === 'target' ? without(told, hostName) : told }
  return services.forward(sent).then(
    (answer) => {
      const firstByteMs = clock.now() - startedAt
      answer.onEnd((end) => {
        const times = { firstByteMs, totalMs: end.at - startedAt }
        services.reportOutcome(endedOutcome(exchange, answer.status, end, times))
      })
      return answer
    },
    (thrown) => {
      const failure = asFailure(thrown)
      failure.upstream = exchange.upstream.name
      services.reportOutcome(failedOutcome(exchange, failure, clock.now() - startedAt))
      throw failure
    },
  )
}

/**
 * With an absolute target's authority as its Host: it overrides the field (RFC 9112 §3.2.2), and an upstream that reads only
 * one of them shall read the same.
 */
function addressed(exchange: Exchange): Exchange {
  const { target, fields } = exchange
  if (target.startsWith('/')) return exchange
  const absolute = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#@]*@)?([^/?#]*)/i.exec(target)?.[1]
  return absolute === undefined ? exchange : { ...exchange, fields: withField(fields, 'Host', absolute) }
}
