// Folds filters around the last step. This is all there is to a pipeline.
import type { Filter, Next } from './model.ts'

/** @param filters in the order in which a request meets them; the last one need not call its `next`. */
export function pipeline(filters: readonly Filter[]): Next {
  return filters.reduceRight<Next>((next, filter) => (exchange) => filter(exchange, next), noFilterAnswered)
}

async function noFilterAnswered(): Promise<never> {
  throw new Error('the last filter of the pipeline called next')
}
