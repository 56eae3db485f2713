import pytest

from ftkeras import (
    averages,
    catalog,
    encoders,
    heads,
    losses,
    optimizers,
    policies,
    regularizers,
    schedules,
)

PACKAGES = {
    "average": averages,
    "encoder": encoders,
    "head": heads,
    "loss": losses,
    "optimizer": optimizers,
    "policy": policies,
    "regularizer": regularizers,
    "schedule": schedules,
}


@pytest.mark.parametrize("kind", PACKAGES)
def test_package_has_the_class_of_each_part(kind):
    classes = {catalog.find(kind, name) for name in catalog.names(kind)}
    assert all(getattr(PACKAGES[kind], cls.__name__) is cls for cls in classes)
    assert {cls.__name__ for cls in classes} <= set(dir(PACKAGES[kind]))


@pytest.mark.parametrize("name", ["Adamw", "adamx", "_Base"])
def test_name_of_no_part_is_refused(name):
    with pytest.raises(AttributeError, match=f"'ftkeras.optimizers' has no attribute '{name}'"):
        getattr(optimizers, name)
