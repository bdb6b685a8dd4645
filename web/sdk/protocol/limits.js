/**
 * What both ends agree on: optional capabilities, sizes, rates, times. As `shared/src/protocol/capabilities.rs` and
 * `limits.rs`.
 */

/** The capabilities of a client, as bits of `Hello`: messages that it does not name are not sent to it. */
export const capabilities = Object.freeze({
  PIECES: 1,
  PACE: 2,
  WAIT: 4,
  ANNOUNCEMENT: 8,
  RESULT: 16,
  MOVE: 32,
  APPEND: 64,
  OPTIONAL: 128,
});

/** The capabilities of a server, as bits of `Welcome`. */
export const serverCapabilities = Object.freeze({ RENEW: 1, STAND_BY: 2 });

/** Sizes, rates and times (in milliseconds) that both ends keep to. */
export const limits = Object.freeze({
  HELLO_BYTES: 12 * 1024,
  MESSAGE_BYTES: 16 * 1024,
  INPUT_BYTES: 4 * 1024,
  CONFIG_BYTES: 2 * 1024,
  NAME_BYTES: 32,
  TITLE_BYTES: 48,
  METADATA_BYTES: 512,
  PAGE_ROOMS: 50,
  LAST_PAGE: 9999,
  PASS_BYTES: 2048,
  CREDENTIAL_BYTES: 8 * 1024,
  RESULT_BYTES: 16 * 1024,
  RESUME_GROUPS: 1024,
  RATING: 1_000_000,
  PARTY: 16,
  CHANNEL_BYTES: 32,
  CHANNELS: 8,
  SAID_BYTES: 256,
  SAID_BURST: 5,
  ATTEND_BURST: 16,
  PRESENT_NAMES: 64,
  EARLY_INPUTS: 64,
  INPUTS_PER_SECOND: 500,
  KEPT_INPUTS: 256,
  KEPT_FOR: 10_000,
  FRAME_BYTES: 64 * 1024,
  FRAME_EVENT_BYTES: 16 * 1024,
  CHUNK_BYTES: 1024 * 1024,
  MESSAGES_PER_SECOND: 200,
  HELLO_TIMEOUT: 5000,
  LIST_SPACING: 250,
  SAID_SPACING: 1000,
  PRESENT_SPACING: 1000,
  PASS_LIFETIME: 10_000,
  CUT_OFF: 3000,
  GATHERING: 60_000,
  IDLE_FRAME: 250,
  REPORT: 100,
  RESYNC_SPACING: 1000,
  LAG: 500,
  UNAPPLIED_BYTES: 128 * 1024,
});
