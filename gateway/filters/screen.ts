// Before any signature is checked, and before the monolith is asked about any session: an address from which so much has failed
// gets nothing more checked, only what is known already. What that comes to is the next filter's to say: 429, or a count.
// The danger it guards against: a flood of bad tokens that takes the time of the good ones.
import { filterKind } from '../filter.ts'
import { rulesFor } from '../identity/rules.ts'

export const screen = filterKind({
  name: 'screen',
  sections: {},
  configure(_settings, { route, isOnAnyRoute }) {
    if (!route.auth && !isOnAnyRoute('auth')) return undefined
    return {
      does: 'checks nothing new of an address from which too much has failed',
      bind: ({ credentials }) =>
        function screen(exchange, next) {
          const rules = rulesFor(exchange)
          const isOver = rules !== undefined && credentials.isOver(exchange.client.address, rules.mode)
          return next(isOver ? { ...exchange, isScreened: true } : exchange)
        },
    }
  },
})
