// Appends to an audit until somebody kills it: `ok N` once record N is on the disk, `refused N`, `trouble WHY`.
import { createAudit, nameWriter } from '../../gateway/state/audit.ts'

const clock = { now: () => performance.now(), wall: () => Date.now() }
const audit = createAudit({
  stateDir: process.argv[2] ?? '',
  clock,
  writer: nameWriter(clock),
  onTrouble: (message) => console.log(`trouble ${message}`),
})

for (let n = 1; ; n++) {
  const appended = audit.append({ kind: 'stage', by: 'file', subject: `n${n}`, reason: 'x'.repeat(200) })
  const told = appended.then(
    () => console.log(`ok ${n}`),
    () => console.log(`refused ${n}`),
  )
  // Some share a sync, and some wait for their own.
  if (n % 7 === 0) await told
}
