// THE list of filter kinds, in the order in which a request meets them.
import type { FilterKind } from './filter.ts'
import { attempt } from './filters/attempt.ts'
import { observe } from './filters/observe.ts'

export const filters: readonly FilterKind[] = [observe, attempt]
