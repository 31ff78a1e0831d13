//! What a call gives, brought to the parameters of what is called.

use std::borrow::Cow;

use super::error::{Done, type_error};
use super::value::Value;

/// What a call gives.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arguments<'r> {
    pub(crate) positional: Vec<Value<'r>>,
    pub(crate) named: Vec<(Cow<'r, str>, Value<'r>)>,
}

impl<'r> Arguments<'r> {
    /// The values of parameters with these names, the first of which must be given.
    pub(crate) fn bind<const N: usize>(
        self,
        function: &str,
        names: [&str; N],
        required: usize,
    ) -> Done<[Option<Value<'r>>; N]> {
        let mut bound = [const { None }; N];
        let given = self.positional.len();
        if given > N {
            return Err(type_error(format!("{function}() takes at most {N} arguments ({given} given)")));
        }
        for (parameter, value) in bound.iter_mut().zip(self.positional) {
            *parameter = Some(value);
        }
        for (name, value) in self.named {
            let place = names.iter().position(|known| *known == name && !known.is_empty());
            match place.and_then(|place| bound.get_mut(place)) {
                Some(parameter @ None) => *parameter = Some(value),
                Some(Some(_)) => {
                    return Err(type_error(format!("{function}() got multiple values for argument '{name}'")));
                }
                None => {
                    return Err(type_error(format!("{function}() got an unexpected keyword argument '{name}'")));
                }
            }
        }
        for (parameter, name) in bound.iter().zip(names).take(required) {
            if parameter.is_none() {
                return Err(type_error(format!("{function}() missing 1 required positional argument: '{name}'")));
            }
        }
        Ok(bound)
    }

    /// The values of a function that takes none by name.
    pub(crate) fn positional<const N: usize>(self, function: &str, required: usize) -> Done<[Option<Value<'r>>; N]> {
        self.bind(function, [""; N], required)
    }
}
