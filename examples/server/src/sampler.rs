//! What of a model's logits is sampled: within the grammar, if there is one, by temperature and nucleus.

use llguidance::Matcher;
use mistral_chat_template::Control;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::tokens::Tokens;

/// How an answer is sampled.
pub struct Sampler {
    random: StdRng,
    temperature: f32,
    top_p: f32,
    grammar: Option<Matcher>,
}

/// The control tokens that an answer may have, where no grammar says which.
const OF_ANSWERS: [Control; 6] =
    [Control::Eos, Control::ToolCalls, Control::CallId, Control::Args, Control::Think, Control::EndThink];

impl Sampler {
    pub fn new(temperature: f32, top_p: f32, seed: Option<u64>, grammar: Option<Matcher>) -> Self {
        let random = StdRng::seed_from_u64(seed.unwrap_or_else(|| rand::rng().random()));
        Sampler { random, temperature, top_p, grammar }
    }

    /// The next id; `None` if the grammar allows no other.
    pub fn sample(&mut self, logits: &[f32], tokens: &Tokens) -> Result<Option<u32>, String> {
        let mask = match &mut self.grammar {
            Some(grammar) => Some(grammar.compute_mask_or_eos().map_err(|error| error.to_string())?),
            None => None,
        };
        let is_allowed = |id: u32| match &mask {
            Some(mask) => (id as usize) < mask.len() && mask.is_allowed(id),
            None => tokens.is_text(id) || tokens.control_of(id).is_some_and(|control| OF_ANSWERS.contains(&control)),
        };
        let known = (0..).zip(logits.iter().copied()).take(tokens.len());
        let mut allowed: Vec<(u32, f32)> = known.filter(|(id, _)| is_allowed(*id)).collect();
        let Some(id) = self.choose(&mut allowed) else { return Ok(None) };
        if let Some(grammar) = &mut self.grammar
            && id != tokens.end()
        {
            grammar.consume_token(id).map_err(|error| error.to_string())?;
        }
        Ok(Some(id))
    }

    fn choose(&mut self, allowed: &mut [(u32, f32)]) -> Option<u32> {
        allowed.sort_by(|(_, one), (_, other)| other.total_cmp(one));
        let (best, highest) = *allowed.first()?;
        if self.temperature <= 0.0 {
            return Some(best);
        }
        let weight = |logit: f32| ((logit - highest) / self.temperature).exp();
        let total: f32 = allowed.iter().map(|(_, logit)| weight(*logit)).sum();
        let mut nucleus = 0.0;
        let enough = |(_, logit): &&(u32, f32)| {
            let is_within = nucleus < self.top_p * total;
            nucleus += weight(*logit);
            is_within
        };
        let within: Vec<(u32, f32)> = allowed.iter().take_while(enough).copied().collect();
        let mut point = self.random.random::<f32>() * within.iter().map(|(_, logit)| weight(*logit)).sum::<f32>();
        let chosen = within.iter().find(|(_, logit)| {
            point -= weight(*logit);
            point <= 0.0
        });
        chosen.or(within.first()).map(|(id, _)| *id).or(Some(best))
    }
}
