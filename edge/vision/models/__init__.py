"""Packages of models: what they must be, how they are run, how they are changed, when they no longer fit."""
