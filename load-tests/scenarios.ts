// All scenarios, in the order in which they are listed.
// The danger it guards against: a scenario that is there and that nobody finds.
import { chaosScenario } from './chaos/scenario.ts'
import { cutoverScenario } from './cutoverScenario.ts'
import { rollbackScenario } from './rollback/scenario.ts'
import { rotateKeysScenario } from './rotation/scenario.ts'
import type { Scenario } from './scenario.ts'
import { shadowScenario } from './shadow/scenario.ts'

export const scenarios: readonly Scenario[] = [
  cutoverScenario,
  rollbackScenario,
  shadowScenario,
  chaosScenario,
  rotateKeysScenario,
]
