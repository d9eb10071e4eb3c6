// A thread that watches the clock for the load generator: it says when requests are due, and does nothing else.
import { runPacer } from '../io/pacer.ts';

runPacer();
