"""Files made to do harm: what `tools/hostile` feeds to h5conv. Each module makes one kind; `cases` lists them all."""
from . import archives, arrays, configs, hdf5, inputs, mutations, pickles, pictures, scale


def cases(count):
    """Every made file, and `count` mutations."""
    made = [case for module in (hdf5, archives, pickles, configs, pictures, arrays, inputs, scale) for case in module.cases()]
    kinds = mutations.KINDS + [configs.mutated_config] * 5
    return made + [kinds[number * 7 % len(kinds)](number) for number in range(count)]
