//! The scene `ballast`: frames of a size that is asked for. One thing that everybody sees is so many random bytes, others in
//! every tick.

use tiltyard_shared::prelude::*;

/// Most bytes of a frame's content.
pub const MOST_BYTES: u32 = 60_000;

/// What is carried along.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Replicate)]
pub struct Load {
    /// As good as random, so that no coding makes it smaller.
    #[replicate(max_len = 60_000)]
    pub bytes: Vec<u8>,
}

/// How large frames are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Wire)]
pub struct Config {
    /// Bytes of content, at most [`MOST_BYTES`].
    pub bytes: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self { bytes: 512 }
    }
}

/// The rules: players only watch.
#[derive(Debug, Serialize, Deserialize)]
pub struct Ballast {}

impl Game for Ballast {
    const NAME: &'static str = "ballast";
    type Config = Config;
    type Entity = Load;
    type Input = ();
    type Event = ();

    fn settings(_config: &Config) -> Settings {
        Settings { tick_hz: 20, max_players: 1_000, ..Settings::default() }
    }

    fn new(config: Config, ctx: &mut Ctx<'_, Self>) -> Self {
        ctx.world.spawn(Load { bytes: vec![0; config.bytes.min(MOST_BYTES) as usize] });
        Self {}
    }

    fn join(&mut self, _: PlayerId, _: &mut Ctx<'_, Self>) {}

    fn leave(&mut self, _: PlayerId, _: Leave, _: &mut Ctx<'_, Self>) {}

    fn tick(&mut self, _: &Inputs<()>, ctx: &mut Ctx<'_, Self>) {
        for (_, load) in ctx.world.iter_mut() {
            load.bytes.fill_with(|| ctx.rng.next_u32() as u8);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ballast_passes_its_check() {
        check_game::<Ballast>();
    }
}
