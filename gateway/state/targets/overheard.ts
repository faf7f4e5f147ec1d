// What each attempt shows of the target that it goes to, told to whoever watches targets.
// The danger it guards against: what is nobody's failure but the client's, the gateway's or a comparison's, held against a target.
import { Readable } from 'node:stream'
import { asFailure } from '../../errors.ts'
import { isEventStream } from '../../message/eventStream.ts'
import type { Answer, Exchange, Next } from '../../model.ts'
import type { OutlierBook } from './outliers.ts'

/** @param forward asks the `target` of its upstream, and no other */
export function overheard(forward: Next, outliers: Pick<OutlierBook, 'heard'>): Next {
  async function heard(exchange: Exchange): Promise<Answer> {
    const { upstream } = exchange
    try {
      const answer = await forward(exchange)
      if (answer.status >= 500) outliers.heard(upstream, 'failed')
      else if (saysAllNow(answer)) outliers.heard(upstream, 'fine')
      else answer.onEnd(({ how }) => outliers.heard(upstream, how === 'upstreamBroke' ? 'failed' : 'fine'))
      return answer
    } catch (thrown) {
      if (asFailure(thrown).blame === 'upstream') outliers.heard(upstream, 'failed')
      throw thrown
    }
  }

  return (exchange) => (exchange.upstream.outliers && !isLeg(exchange) ? heard(exchange) : forward(exchange))
}

/** Chosen, marked and sometimes refused by a candidate as no client's request is. */
function isLeg({ role }: Exchange): boolean {
  return role === 'shadow' || role === 'noise'
}

/** All of it is there, or its end may be hours away and says nothing then that its head has not said now. */
function saysAllNow({ body, fields }: Answer): boolean {
  return !(body instanceof Readable) || isEventStream(fields.get('content-type'))
}
