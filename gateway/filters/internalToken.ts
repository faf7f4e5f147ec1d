// Tells an upstream who the client is, in words that only the gateway can sign (RFC 7519): whoever goes round it has none.
// The danger it guards against: a client that brings such a field himself, or names it in `Connection`, so that ours would end here
// (RFC 9110 §7.6.1).
import { filterKind } from '../filter.ts'
import { namesOf, withField, without } from '../message/fields.ts'
import { endToEnd } from '../message/hopByHop.ts'

/** The field that carries it. */
const tokenField = 'Banyan-Token'

const tokenFields = namesOf([tokenField])

export const internalToken = filterKind({
  name: 'internalToken',
  sections: {},
  configure(_settings, { route: { upstream, move } }) {
    const told = [...new Set(move ? [move.from, move.to] : [upstream])].filter(({ internalToken }) => internalToken)
    if (told.length === 0) return undefined
    return {
      does: `tells ${told.map(({ name }) => name).join(' and ')} who the client is, signed`,
      bind: ({ internalTokens }) =>
        async function internalToken(exchange, next) {
          const { fields, identity, upstream } = exchange
          if (upstream.internalToken) {
            const token = await internalTokens.of(identity, upstream.internalToken.audience)
            return next({ ...exchange, fields: withField(endToEnd(fields), tokenField, token) })
          }
          return next(fields.has(tokenField) ? { ...exchange, fields: without(fields, tokenFields) } : exchange)
        },
    }
  },
})
