// Refuses what is more than a client, a key, an address or a route may use: by rates, by the day, by what answers say they cost.
// A request of a client meets it once: what is sent again, compared or fetched behind his back costs him nothing more.
// The danger it guards against: a budget that many requests find unspent at a time, so the cost is taken before it is known, and
// settled when it is.
import { type Static, Type } from 'typebox'
import { Rate, ratePerSecond } from '../config/schema.ts'
import { Failure } from '../errors.ts'
import { filterKind } from '../filter.ts'
import { costsAsSaid, costsOfHit } from '../limiting/costs.ts'
import { chargesOf, labelOf, type Rule, type RuleCharge, type Window } from '../limiting/rules.ts'
import { fieldsFor, reasonOf, retryAfterMs } from '../limiting/telling.ts'
import { fieldsOf } from '../message/fields.ts'
import { isPreflight } from '../message/preflight.ts'
import type { Limits } from '../model/ports.ts'
import type { Allowance, Answer } from '../model.ts'

const closed = { additionalProperties: false } as const
const Units = (description: string) => Type.Integer({ minimum: 0, maximum: 999_999_999, description })
const fieldName = (description: string) =>
  Type.String({ title: 'a field name such as x-tokens-used', pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$", description })

const ruleSchema = Type.Object(
  {
    rate: Type.Optional(
      Rate({ description: 'So much, coming back evenly. Of a key that has a rate of its own (`per: key`), its own.' }),
    ),
    burst: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 999_999_999,
        description: 'So much of the rate may be used at once; default: its number.',
      }),
    ),
    quota: Type.Optional(
      Type.String({
        title: 'a quota such as 10000/d',
        pattern: '^[1-9][0-9]{0,11}/d$',
        description: 'So much in a day of the calendar (UTC).',
      }),
    ),
    per: Type.Union(
      [
        Type.Enum(['identity', 'key', 'address', 'route'], {
          description: 'Who was authenticated, the key of ours, the client’s address (IPv6 by /64), or all together.',
        }),
        Type.Object(
          { field: fieldName('The field of requests that tells them apart.') },
          { ...closed, description: 'A field, as a trusted proxy sets it.' },
        ),
      ],
      {
        title: 'identity, key, address, route or { field: NAME }',
        description: 'Who has a budget of his own; who does not have that is known by his address.',
      },
    ),
    cost: Type.Optional(
      Type.Union(
        [
          Units('Of each request; default 1.'),
          Type.Object(
            {
              field: fieldName('The field or trailer of the answer that says what it has cost.'),
              reserve: Type.Integer({
                minimum: 1,
                maximum: 999_999_999,
                description: 'What is taken before that is known, and stands where no answer says it.',
              }),
            },
            { ...closed, description: 'What the answer says.' },
          ),
        ],
        {
          title: 'a whole number or { field: NAME, reserve: NUMBER }',
          description: 'What a request costs; default 1.',
        },
      ),
    ),
    hitCost: Type.Optional(Units('What an answer from the cache costs; default 0.')),
    dryRun: Type.Optional(
      Type.Boolean({ description: 'Counts what it would refuse, and refuses nothing; default false.' }),
    ),
    onStoreLoss: Type.Optional(
      Type.Enum(['localShare', 'open', 'closed'], {
        description:
          'While the store is gone: each gateway its share (limit ÷ gateways), no limit, or 503; default localShare.',
      }),
    ),
  },
  { ...closed, description: 'One limit.' },
)

const schema = Type.Union([ruleSchema, Type.Array(ruleSchema, { minItems: 1, maxItems: 8, description: 'Several.' })], {
  description:
    'How much a client may use; one limit or a list of them, of which each must have room. Beyond it 429 with Retry-After; answers say in RateLimit how much is left.',
})

type Written = Static<typeof ruleSchema>

export const limit = filterKind({
  name: 'limit',
  sections: { limit: { at: 'route', schema } },
  configure({ limit }, { problem }) {
    if (!limit) return undefined
    const isList = Array.isArray(limit)
    const written: readonly Written[] = isList ? limit : [limit]
    written.forEach((one, i) => {
      checkRule(one, (key, message) => problem(isList ? ['limit', i, ...key] : ['limit', ...key], message))
    })
    const rules = written.map(ruleOf)
    return {
      does: rules.map(sayingOf).join(', '),
      bind: ({ limits }) =>
        async function limit(exchange, next) {
          // Nobody has asked for anything yet.
          if (isPreflight(exchange)) return next(exchange)
          const taking = limits.take(exchange.route.name, chargesOf(rules, exchange))
          const allowance = taking instanceof Promise ? await taking : taking
          if (allowance.result !== 'allowed') throw refusalOf(allowance)
          const answer = await next(exchange)
          settle(limits, allowance, answer)
          return withFields(answer, fieldsFor(allowance.charges))
        },
    }
  },
})

type Said = Allowance<RuleCharge>

function settle(limits: Limits, { at, charges }: Said, answer: Answer): void {
  if (answer.by === 'cache') {
    limits.settle(at, costsOfHit(charges))
  } else if (charges.some(({ rule }) => rule.costField !== undefined)) {
    answer.onEnd((end) => limits.settle(at, costsAsSaid(charges, answer, end)))
  }
}

function withFields(answer: Answer, fields: readonly string[]): Answer {
  return fields.length === 0 ? answer : { ...answer, fields: fieldsOf([...answer.fields.raw, ...fields]) }
}

function refusalOf({ result, charges }: Said): Failure {
  if (result === 'unknown') return new Failure('limitUnknown', 'the store is gone, and the limit is closed without it')
  return new Failure('limitExceeded', reasonOf(charges), {
    retryAfterMs: retryAfterMs(charges),
    fields: fieldsFor(charges),
  })
}

function ruleOf({ rate, burst, quota, per, cost = 1, hitCost = 0, dryRun = false, onStoreLoss }: Written): Rule {
  const reserve = typeof cost === 'number' ? cost : cost.reserve
  return {
    per,
    windows: [rate === undefined ? [] : rateWindow(rate, burst), quota === undefined ? [] : dayWindow(quota)].flat(),
    reserve,
    ...(typeof cost === 'object' && { costField: cost.field }),
    hitCost,
    isDry: dryRun,
    onStoreLoss: onStoreLoss ?? 'localShare',
    // It was issued without a look at this route: it lets one request through at least.
    windowOf: (own) => rateWindow(own, Math.max(reserve, Number.parseInt(own, 10))),
  }
}

function rateWindow(rate: string, burst = Number.parseInt(rate, 10)): Window {
  const [amount, perSecond] = [Number.parseInt(rate, 10), ratePerSecond(rate)]
  return {
    text: rate,
    budget: { most: burst, perMs: perSecond / 1000 },
    amount,
    seconds: Math.round(amount / perSecond),
  }
}

function dayWindow(quota: string): Window {
  const amount = Number.parseInt(quota, 10)
  return { text: 'daily', budget: { most: amount, perMs: 0 }, amount, seconds: 86_400 }
}

function checkRule(
  { rate, burst, quota, cost = 1 }: Written,
  problem: (key: readonly string[], message: string) => void,
): void {
  if (rate === undefined && quota === undefined) problem([], 'a limit needs a "rate", a "quota" or both; add one')
  if (burst !== undefined && rate === undefined) problem(['burst'], '"burst" is of a "rate"; add one or remove it')
  const reserve = typeof cost === 'number' ? cost : cost.reserve
  const atOnce = rate === undefined ? Number.POSITIVE_INFINITY : (burst ?? Number.parseInt(rate, 10))
  const most = Math.min(atOnce, quota === undefined ? Number.POSITIVE_INFINITY : Number.parseInt(quota, 10))
  if (reserve > most)
    problem(
      ['cost'],
      `a request takes ${reserve} of ${most}, so none would ever pass; lower the cost or raise the limit`,
    )
}

function sayingOf({ per, windows, isDry }: Rule): string {
  const amounts = windows.map(({ text, amount }) => (text === 'daily' ? `${amount} a day` : text)).join(' and ')
  return `${isDry ? 'counts what is more than' : 'allows'} ${amounts} per ${labelOf(per)}`
}
