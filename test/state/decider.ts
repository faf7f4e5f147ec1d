// Rolls `search` back as soon as it hears the word, says so once that is written down, and goes on until somebody kills it.
import { once } from 'node:events'
import { createRollouts } from '../../gateway/state/rollouts.ts'
import { rolloutOf } from '../rollout/declared.ts'

const book = createRollouts(Date.now, (thrown) => console.log(`trouble ${thrown}`))
await book.open(process.argv[2] ?? '')
const search = rolloutOf('search', { stage: 'canary', shareBasisPoints: 1_000 })
book.declare({ rollouts: new Map([['search', search]]) })
await book.written()
console.log('ready')
await once(process.stdin, 'data')
// An edit comes in the very moment after the order.
const rolledBack = book.rollBack('search', { by: 'ann', reason: 'just before the end' })
void book.pause('search', { by: 'ann', reason: 'and then' })
await rolledBack
console.log('rolled back')
