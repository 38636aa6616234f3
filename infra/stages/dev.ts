import { defineStage } from '../stage.ts';

/** The least that can be deployed, and next to free: functions without a network, and the URLs of your databases in a secret. */
export default defineStage({});
