/** The counts of a session. */

export class Counts {
  /** Frames that arrived, stale ones too. */
  frames = 0;
  /** Frames dropped because their epoch was over. */
  stale = 0;
  /** Bytes of all frames. */
  bytes = 0;
  /** Frames with a hash that the replica matched. */
  verified = 0;
  /** Frames after which the hash differed from the server's. */
  mismatches = 0;
  /** Frames that could not be applied for another reason. */
  badFrames = 0;
  /** Resyncs sent, for any reason. */
  resyncs = 0;
  /** Resumes that succeeded. */
  reconnects = 0;
  /** Other rooms to which a server that stopped has sent the client. */
  transfers = 0;
  /** Inputs refused. */
  inputsRefused = 0;
  /** Messages of a later version, passed over. */
  unknown = 0;
}
