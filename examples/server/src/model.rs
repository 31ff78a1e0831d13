//! A model of the Mistral architecture: token ids in, logits out, and a [`Cache`] that can be cut anywhere.

use std::collections::HashMap;
use std::error::Error;
use std::fs;
use std::path::Path;

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::ops::softmax_last_dim;
use candle_nn::rotary_emb::rope;
use candle_nn::{Embedding, Linear, Module, RmsNorm, VarBuilder, linear_no_bias, rms_norm};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::Deserialize;

/// The fields of a model's `config.json` that matter here.
#[derive(Clone, Debug, Deserialize)]
pub struct Config {
    pub vocab_size: usize,
    pub hidden_size: usize,
    pub intermediate_size: usize,
    pub num_hidden_layers: usize,
    pub num_attention_heads: usize,
    pub num_key_value_heads: usize,
    pub head_dim: Option<usize>,
    pub rms_norm_eps: f64,
    /// Older files have it here, newer ones in `rope_parameters`.
    rope_theta: Option<f64>,
    rope_parameters: Option<RopeParameters>,
    pub max_position_embeddings: usize,
    pub sliding_window: Option<usize>,
    #[serde(default)]
    pub tie_word_embeddings: bool,
}

#[derive(Clone, Debug, Deserialize)]
struct RopeParameters {
    rope_theta: f64,
}

impl Config {
    /// A model that is small enough to be made of random numbers at every start.
    fn tiny(vocab_size: usize) -> Self {
        Config {
            vocab_size,
            hidden_size: 64,
            intermediate_size: 128,
            num_hidden_layers: 2,
            num_attention_heads: 4,
            num_key_value_heads: 2,
            head_dim: None,
            rms_norm_eps: 1e-5,
            rope_theta: Some(10_000.0),
            rope_parameters: None,
            max_position_embeddings: 65_536,
            sliding_window: None,
            tie_word_embeddings: false,
        }
    }

    fn head_dim(&self) -> usize {
        self.head_dim.unwrap_or(self.hidden_size / self.num_attention_heads.max(1))
    }

    fn rope_theta(&self) -> f64 {
        self.rope_theta.or(self.rope_parameters.as_ref().map(|it| it.rope_theta)).unwrap_or(10_000.0)
    }
}

/// The keys and values of the ids that a model has read.
#[derive(Clone)]
pub struct Cache {
    /// Of each layer, as `[1, heads, ids, head_dim]`.
    layers: Vec<Option<(Tensor, Tensor)>>,
    len: usize,
}

impl Cache {
    /// How many ids it holds.
    pub fn len(&self) -> usize {
        self.len
    }

    /// The cache of the first `len` ids. Nothing is copied.
    pub fn first(&self, len: usize) -> Result<Self> {
        let cut = |(keys, values): &(Tensor, Tensor)| Ok((keys.narrow(2, 0, len)?, values.narrow(2, 0, len)?));
        let layers = match len {
            0 => vec![None; self.layers.len()],
            _ => self.layers.iter().map(|layer| layer.as_ref().map(cut).transpose()).collect::<Result<_>>()?,
        };
        Ok(Cache { layers, len })
    }
}

/// The model.
pub struct Model {
    pub config: Config,
    embed: Embedding,
    layers: Vec<Layer>,
    norm: RmsNorm,
    head: Linear,
    device: Device,
}

struct Layer {
    input_norm: RmsNorm,
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    post_norm: RmsNorm,
    gate: Linear,
    up: Linear,
    down: Linear,
}

impl Model {
    /// A tiny model of random weights, the same for the same seed. `end` is the id of the end token, which it samples
    /// often enough for most answers to end.
    pub fn random(vocab_size: usize, end: u32, seed: u64) -> Result<Self> {
        let config = Config::tiny(vocab_size);
        let weights = random_weights(&config, end, seed)?;
        Self::new(config, VarBuilder::from_tensors(weights, DType::F32, &Device::Cpu))
    }

    /// A model of a folder: `config.json` and its `*.safetensors`.
    pub fn open(folder: &Path) -> std::result::Result<Self, Box<dyn Error>> {
        let config: Config = serde_json::from_slice(&fs::read(folder.join("config.json"))?)?;
        let mut weights = HashMap::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            // Weights in Mistral's own format have other names, and stand beside Hugging Face's in many folders.
            let is_own = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("consolidated"));
            if path.extension().is_some_and(|extension| extension == "safetensors") && !is_own {
                weights.extend(candle_core::safetensors::load(&path, &Device::Cpu)?);
            }
        }
        if weights.is_empty() {
            return Err(format!("{} has no model*.safetensors", folder.display()).into());
        }
        let weights = VarBuilder::from_tensors(weights, DType::F32, &Device::Cpu);
        Ok(Self::new(config, weights)?)
    }

    fn new(config: Config, weights: VarBuilder<'_>) -> Result<Self> {
        let (hidden, head) = (config.hidden_size, config.head_dim());
        let (queries, keys) = (config.num_attention_heads * head, config.num_key_value_heads * head);
        let model = weights.pp("model");
        let layer = |index: usize| {
            let weights = model.pp("layers").pp(index);
            let (attention, mlp) = (weights.pp("self_attn"), weights.pp("mlp"));
            Ok(Layer {
                input_norm: rms_norm(hidden, config.rms_norm_eps, weights.pp("input_layernorm"))?,
                query: linear_no_bias(hidden, queries, attention.pp("q_proj"))?,
                key: linear_no_bias(hidden, keys, attention.pp("k_proj"))?,
                value: linear_no_bias(hidden, keys, attention.pp("v_proj"))?,
                output: linear_no_bias(queries, hidden, attention.pp("o_proj"))?,
                post_norm: rms_norm(hidden, config.rms_norm_eps, weights.pp("post_attention_layernorm"))?,
                gate: linear_no_bias(hidden, config.intermediate_size, mlp.pp("gate_proj"))?,
                up: linear_no_bias(hidden, config.intermediate_size, mlp.pp("up_proj"))?,
                down: linear_no_bias(config.intermediate_size, hidden, mlp.pp("down_proj"))?,
            })
        };
        let layers = (0..config.num_hidden_layers).map(layer).collect::<Result<_>>()?;
        let embed = candle_nn::embedding(config.vocab_size, hidden, model.pp("embed_tokens"))?;
        let head = match config.tie_word_embeddings {
            true => Linear::new(embed.embeddings().clone(), None),
            false => linear_no_bias(hidden, config.vocab_size, weights.pp("lm_head"))?,
        };
        let norm = rms_norm(hidden, config.rms_norm_eps, model.pp("norm"))?;
        Ok(Model { config, embed, layers, norm, head, device: Device::Cpu })
    }

    /// A cache of no ids.
    pub fn cache(&self) -> Cache {
        Cache { layers: vec![None; self.layers.len()], len: 0 }
    }

    /// Reads ids behind those of the cache, which are at least one, and gives the logits of what comes next.
    pub fn read(&self, ids: &[u32], cache: &mut Cache) -> Result<Vec<f32>> {
        let (past, new) = (cache.len, ids.len());
        let angles = self.angles(past, new)?;
        let mask = self.mask(past, new)?;
        let mut state = self.embed.forward(&Tensor::new(ids, &self.device)?.unsqueeze(0)?)?;
        for (layer, kept) in self.layers.iter().zip(&mut cache.layers) {
            state = layer.forward(&self.config, &state, &angles, mask.as_ref(), kept)?;
        }
        cache.len = past + new;
        let last = self.norm.forward(&state.narrow(1, new - 1, 1)?.contiguous()?)?;
        self.head.forward(&last)?.flatten_all()?.to_vec1()
    }

    /// The cosines and sines of the positions.
    fn angles(&self, past: usize, new: usize) -> Result<(Tensor, Tensor)> {
        let (theta, head) = (self.config.rope_theta(), self.config.head_dim());
        let frequency = |pair: usize| theta.powf(-2.0 * pair as f64 / head as f64);
        let angles: Vec<f32> = (past..past + new)
            .flat_map(|position| (0..head / 2).map(move |pair| (position as f64 * frequency(pair)) as f32))
            .collect();
        let angles = Tensor::from_vec(angles, (new, head / 2), &self.device)?;
        Ok((angles.cos()?, angles.sin()?))
    }

    /// What each new id may not see: what follows it, and what the window has left behind.
    fn mask(&self, past: usize, new: usize) -> Result<Option<Tensor>> {
        let window = self.config.sliding_window.unwrap_or(usize::MAX);
        if new == 1 && past < window {
            return Ok(None);
        }
        let sees = |from: usize, to: usize| to <= from && from - to < window;
        let value = |from: usize, to: usize| if sees(from, to) { 0.0 } else { f32::NEG_INFINITY };
        let mask: Vec<f32> =
            (past..past + new).flat_map(|from| (0..past + new).map(move |to| value(from, to))).collect();
        Ok(Some(Tensor::from_vec(mask, (new, past + new), &self.device)?))
    }
}

impl Layer {
    fn forward(
        &self,
        config: &Config,
        state: &Tensor,
        (cos, sin): &(Tensor, Tensor),
        mask: Option<&Tensor>,
        kept: &mut Option<(Tensor, Tensor)>,
    ) -> Result<Tensor> {
        let (head, new) = (config.head_dim(), state.dim(1)?);
        let heads = |linear: &Linear, count: usize, normed: &Tensor| {
            linear.forward(normed)?.reshape((1, new, count, head))?.transpose(1, 2)?.contiguous()
        };
        let normed = self.input_norm.forward(state)?;
        let query = rope(&heads(&self.query, config.num_attention_heads, &normed)?, cos, sin)?;
        let mut keys = rope(&heads(&self.key, config.num_key_value_heads, &normed)?, cos, sin)?;
        let mut values = heads(&self.value, config.num_key_value_heads, &normed)?;
        if let Some((old_keys, old_values)) = kept {
            keys = Tensor::cat(&[&*old_keys, &keys], 2)?;
            values = Tensor::cat(&[&*old_values, &values], 2)?;
        }
        *kept = Some((keys.clone(), values.clone()));
        let groups = config.num_attention_heads / config.num_key_value_heads;
        let (keys, values) = (repeated(keys, groups)?, repeated(values, groups)?);
        let mut scores = (query.matmul(&keys.transpose(2, 3)?)? / (head as f64).sqrt())?;
        if let Some(mask) = mask {
            scores = scores.broadcast_add(mask)?;
        }
        let mixed = softmax_last_dim(&scores)?.matmul(&values)?;
        let mixed = mixed.transpose(1, 2)?.reshape((1, new, config.num_attention_heads * head))?;
        let state = (state + self.output.forward(&mixed)?)?;
        let normed = self.post_norm.forward(&state)?;
        let gated = (self.gate.forward(&normed)?.silu()? * self.up.forward(&normed)?)?;
        state + self.down.forward(&gated)?
    }
}

/// Each head of keys or values as often as there are query heads for it.
fn repeated(heads: Tensor, times: usize) -> Result<Tensor> {
    if times == 1 {
        return heads.contiguous();
    }
    let (_, count, ids, dim) = heads.dims4()?;
    heads.unsqueeze(2)?.expand((1, count, times, ids, dim))?.reshape((1, count * times, ids, dim))
}

fn random_weights(config: &Config, end: u32, seed: u64) -> Result<HashMap<String, Tensor>> {
    let mut random = StdRng::seed_from_u64(seed);
    let (hidden, mlp, head) = (config.hidden_size, config.intermediate_size, config.head_dim());
    let (queries, keys) = (config.num_attention_heads * head, config.num_key_value_heads * head);
    let mut weights = HashMap::new();
    let mut add = |name: String, rows: usize, columns: usize| -> Result<()> {
        // Uniform numbers of this width have a variance of 1 / columns.
        let width = (3.0 / columns as f32).sqrt();
        let scale = if name.ends_with("embed_tokens.weight") { (columns as f32).sqrt() } else { 1.0 };
        let mut numbers: Vec<f32> = (0..rows * columns).map(|_| random.random_range(-width..width) * scale).collect();
        if name == "lm_head.weight" {
            let row = end as usize * columns;
            numbers.iter_mut().skip(row).take(columns).for_each(|number| *number *= 4.0);
        }
        weights.insert(name, Tensor::from_vec(numbers, (rows, columns), &Device::Cpu)?);
        Ok(())
    };
    add("model.embed_tokens.weight".to_owned(), config.vocab_size, hidden)?;
    add("lm_head.weight".to_owned(), config.vocab_size, hidden)?;
    for layer in 0..config.num_hidden_layers {
        let name = |of: &str| format!("model.layers.{layer}.{of}.weight");
        add(name("self_attn.q_proj"), queries, hidden)?;
        add(name("self_attn.k_proj"), keys, hidden)?;
        add(name("self_attn.v_proj"), keys, hidden)?;
        add(name("self_attn.o_proj"), hidden, queries)?;
        add(name("mlp.gate_proj"), mlp, hidden)?;
        add(name("mlp.up_proj"), mlp, hidden)?;
        add(name("mlp.down_proj"), hidden, mlp)?;
    }
    let ones = Tensor::ones(hidden, DType::F32, &Device::Cpu)?;
    weights.insert("model.norm.weight".to_owned(), ones.clone());
    for layer in 0..config.num_hidden_layers {
        for norm in ["input_layernorm", "post_attention_layernorm"] {
            weights.insert(format!("model.layers.{layer}.{norm}.weight"), ones.clone());
        }
    }
    Ok(weights)
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDS: [u32; 14] = [1, 17, 105, 811, 365, 18, 3, 912, 326, 368, 150, 339, 73, 4];

    fn model() -> Model {
        Model::random(1064, 2, 25).unwrap()
    }

    fn read(model: &Model, parts: &[&[u32]], cache: &mut Cache) -> Vec<f32> {
        parts.iter().map(|part| model.read(part, cache).unwrap()).last().unwrap()
    }

    fn are_close(one: &[f32], other: &[f32]) -> bool {
        one.len() == other.len() && one.iter().zip(other).all(|(one, other)| (one - other).abs() < 1e-4)
    }

    /// The five highest logits that candle-transformers 0.11.1 has for the same weights and ids.
    const HIGHEST: [(usize, f32); 5] =
        [(1034, 3.176_745), (755, 2.881_716_7), (77, 2.615_429_9), (905, 2.478_85), (866, 2.475_561_4)];

    #[test]
    fn the_logits_are_those_of_another_program() {
        let model = model();
        let logits = read(&model, &[&IDS], &mut model.cache());
        let mut highest: Vec<(usize, f32)> = logits.into_iter().enumerate().collect();
        highest.sort_by(|(_, one), (_, other)| other.total_cmp(one));
        for ((id, logit), (expected, of_other)) in highest.into_iter().zip(HIGHEST) {
            assert!(id == expected && (logit - of_other).abs() < 1e-4, "{id} {logit}");
        }
    }

    #[test]
    fn a_prompt_in_parts_is_the_prompt() {
        let model = model();
        let whole = read(&model, &[&IDS], &mut model.cache());
        for cut in 1..IDS.len() {
            let mut cache = model.cache();
            assert!(are_close(&read(&model, &[&IDS[..cut], &IDS[cut..]], &mut cache), &whole), "{cut}");
            assert_eq!(cache.len(), IDS.len());
        }
        let one_by_one: Vec<&[u32]> = IDS.chunks(1).collect();
        assert!(are_close(&read(&model, &one_by_one, &mut model.cache()), &whole));
    }

    #[test]
    fn a_cache_that_is_cut_goes_on_another_way() {
        let model = model();
        let mut cache = model.cache();
        read(&model, &[&IDS, &[500, 600, 700]], &mut cache);
        for cut in 0..IDS.len() {
            let mut first = cache.first(cut).unwrap();
            let other = [&IDS[..cut], &[42, 43]].concat();
            let went_on = read(&model, &[&[42, 43]], &mut first);
            assert!(are_close(&went_on, &read(&model, &[&other], &mut model.cache())), "{cut}");
        }
    }

    #[test]
    fn a_window_is_the_same_in_parts() {
        let mut model = model();
        model.config.sliding_window = Some(3);
        let whole = read(&model, &[&IDS], &mut model.cache());
        let one_by_one: Vec<&[u32]> = IDS.chunks(1).collect();
        assert!(are_close(&read(&model, &one_by_one, &mut model.cache()), &whole));
        model.config.sliding_window = None;
        assert!(!are_close(&read(&model, &[&IDS], &mut model.cache()), &whole));
    }

    #[test]
    fn a_folder_holds_the_model() {
        let folder = std::env::temp_dir().join(format!("server-model-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let config = Config::tiny(1064);
        let weights = random_weights(&config, 2, 25).unwrap();
        candle_core::safetensors::save(&weights, folder.join("model.safetensors")).unwrap();
        // As transformers 5 writes it.
        let json = r#"{"vocab_size": 1064, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
            "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16, "rms_norm_eps": 1e-05,
            "rope_parameters": {"rope_theta": 10000.0, "rope_type": "default"}, "max_position_embeddings": 4096,
            "sliding_window": null, "tie_word_embeddings": false, "hidden_act": "silu", "model_type": "mistral"}"#;
        fs::write(folder.join("config.json"), json).unwrap();
        let opened = Model::open(&folder);
        fs::remove_dir_all(&folder).unwrap();
        let (opened, model) = (opened.unwrap(), model());
        assert_eq!(read(&opened, &[&IDS], &mut opened.cache()), read(&model, &[&IDS], &mut model.cache()),);
        assert!(Model::open(Path::new("no-such-folder")).is_err());
    }
}
