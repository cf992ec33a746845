"""How the state is shown: views, built when somebody asks for them after they changed."""
