"""Gradients written by hand do not keep the graphs of functions that are gone."""

import gc
import weakref

import keras
import numpy as np
import pytest
import tensorflow as tf

from ftkeras.support.custom_gradients import custom_gradient


@custom_gradient
def cube(x):
    """x³, with a gradient that no rule of TensorFlow gives: 5x² instead of 3x²."""

    def gradient(upstream):
        return 5.0 * x * x * upstream

    return x**3, gradient


def _plain(x, variable):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(cube(x * variable))
    return tape.gradient(loss, variable)


def _in_a_loop(x, variable):
    def body(i, total):
        return i + 1, total + _plain(x, variable)

    start = (0, tf.zeros_like(variable))
    return tf.while_loop(lambda i, _: i < 2, body, start, maximum_iterations=2)[1] / 2.0


def _through_a_loop(x, variable):
    def body(i, total):
        return i + 1, total + tf.reduce_sum(cube(x * variable))

    with tf.GradientTape() as tape:
        loss = tf.while_loop(lambda i, _: i < 2, body, (0, 0.0), maximum_iterations=2)[1]
    return tape.gradient(loss, variable) / 2.0


WAYS = [_plain, _in_a_loop, _through_a_loop]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("xla", [False, True])
def test_traced_gradient_is_the_given_one_and_its_graph_is_freed(way, xla):
    x = tf.constant([2.0, -3.0])
    function = tf.function(way, jit_compile=xla)
    variable = tf.Variable([1.0, 1.5])
    for _ in range(2):  # the second call does not trace
        np.testing.assert_allclose(
            function(x, variable), 5 * (x.numpy() * variable.numpy()) ** 2 * x.numpy()
        )
    graph = weakref.ref(function.get_concrete_function(x, variable).graph)
    del function
    gc.collect()
    assert graph() is None


def test_gradient_of_a_function_that_was_traced_before():
    function = tf.function(lambda x: tf.reduce_sum(cube(x)))
    x = tf.constant([2.0])
    function(x)
    gc.collect()
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = function(x)
    assert tape.gradient(loss, x).numpy() == [20.0]


def test_eager_and_symbolic_calls():
    x = tf.constant([2.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = cube(x)
    assert tape.gradient(loss, x).numpy() == [20.0]
    inputs = keras.Input((1,))
    model = keras.Model(inputs, keras.layers.Lambda(cube)(inputs))
    assert model(tf.constant([[2.0]])).numpy() == [[8.0]]
